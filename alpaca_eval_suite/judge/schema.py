"""A judge, as its YAML file describes it: who is asked, with which words, in what form it answers, how often.

docs/judge_files.md explains every key; judge/spec.py finds and reads the files.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.template import PLACEHOLDERS, check_template

Form = Literal["letter", "letter_logprobs", "ratings", "reasoning_json", "five_point", "builtin"]
"""How a verdict is given. `builtin`: by a program of ours, which is asked nothing."""

Orders = Literal["both", "single", "balanced"]
"""In which orders a pair is shown, see judge/orders.py."""

BUILTINS = ("builtin:checks", "builtin:longer")
READER = 1
"""Goes up when the same reply would be read otherwise."""

_MAX_TOKENS = {
    "letter": 400,
    # One letter; room for an empty thought and line ends before it, and to see that nothing follows.
    "letter_logprobs": 8,
    "ratings": 400,
    "reasoning_json": 600,
    "five_point": 400,
    "builtin": 1,
}
_PARAMETERS: dict[Form, tuple[str, ...]] = {
    "letter": ("mark", "ties"),
    "letter_logprobs": ("continuous", "min_mass", "ties"),
    "ratings": ("mark", "scale", "ties"),
    "reasoning_json": ("mark", "ties"),
    "five_point": ("mark", "points", "ties"),
    "builtin": (),
}

_Share = Annotated[float, Field(ge=0, le=1)]
_Name = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JudgeDecoding(_Strict):
    """How the judge answers. `thinking_tokens`: what a thought may take beyond `max_tokens`."""

    temperature: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    max_tokens: int = Field(gt=0)
    thinking_tokens: int = Field(default=0, ge=0)


class JudgeSpec(_Strict):
    """One judge. `model` is None in a file that gives the form alone; NAME@MODEL names one.

    `points`: what A>>B, A>B, A=B, B>A, B>>A are worth to the answer shown first. `scale`: the lowest and the highest
    rating. `continuous` false: the letter alone counts. `min_mass`: how much probability must lie on the letters.
    `too_long`: whether a pair that does not fit into the judge's context fails, or both answers are cut alike.
    """

    name: _Name
    model: _Name | None = None
    form: Form = "letter"
    template: str = ""
    system: str | None = None
    mark: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    orders: Orders = "both"
    decoding: JudgeDecoding
    ties: bool = True
    continuous: bool = True
    min_mass: float = Field(default=0.5, gt=0, le=1)
    points: tuple[_Share, _Share, _Share, _Share, _Share] = (1.0, 0.75, 0.5, 0.25, 0.0)
    scale: tuple[float, float] = (1.0, 10.0)
    too_long: Literal["fail", "cut"] = "fail"

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: dict[str, Any]) -> dict[str, Any]:
        values = dict(given)
        if str(values.get("model") or "").startswith("builtin:"):
            values.setdefault("form", "builtin")
            values.setdefault("orders", "single")  # a program looks at no order
        form = values.get("form", "letter")
        values.setdefault("mark", "RATINGS" if form == "ratings" else "VERDICT")
        decoding = values.setdefault("decoding", {})
        if isinstance(decoding, dict) and isinstance(form, str):
            values["decoding"] = {"max_tokens": _MAX_TOKENS.get(form, 1), **decoding}
        return values

    @field_validator("model")
    @classmethod
    def _known_builtin(cls, model: str | None) -> str | None:
        if model is not None and model.startswith("builtin:") and model not in BUILTINS:
            raise ValueError(f"there is no {model!r}; there are {', '.join(BUILTINS)}")
        return model

    @field_validator("system")
    @classmethod
    def _plain(cls, system: str | None) -> str | None:
        for name in PLACEHOLDERS:
            if system and f"{{{name}}}" in system:
                raise ValueError(f"{{{name}}} is filled in the template only")
        return system

    @field_validator("points")
    @classmethod
    def _mirrored(cls, points: tuple[float, ...]) -> tuple[float, ...]:
        # Else a verdict would be worth something else when the answers change places.
        mirrored = all(abs(a + b - 1) < 1e-9 for a, b in zip(points, points[::-1], strict=True))
        if not mirrored or list(points) != sorted(points, reverse=True):
            raise ValueError("must fall from first to last, and the first and last, second and fourth must add up to 1")
        return points

    @field_validator("scale")
    @classmethod
    def _rising(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= scale[0] < scale[1] < float("inf"):
            raise ValueError("must be the lowest rating, not below 0, and a higher one")
        return scale

    @model_validator(mode="after")
    def _fits_its_form(self) -> Self:
        if (self.form == "builtin") != self.is_builtin:
            raise ValueError(f"form: {self.form} does not go with the model {self.model}")
        if self.is_builtin:
            if self.template or self.system:
                raise ValueError(f"template: {self.model} is asked nothing")
        else:
            check_template(self.template, self.verdict)
        return self

    @property
    def is_builtin(self) -> bool:
        """Whether the judge is a program of ours."""
        return self.model in BUILTINS

    @property
    def verdict(self) -> str:
        """What the verdict begins with, {label} to be filled in; for letters by log-probability the label alone."""
        if self.form == "letter_logprobs":
            return "{label}"
        return f"{self.mark.lower()}_{{label}}" if self.form == "reasoning_json" else f"{self.mark}-{{label}}"


class PanelSpec(_Strict):
    """Several judges of the same pairs. `combine`: the mean of their values, or a strict majority of all of them."""

    name: _Name
    panel: tuple[_Name, ...] = Field(min_length=2)
    combine: Literal["mean", "majority"] = "mean"

    @field_validator("panel")
    @classmethod
    def _each_once(cls, panel: tuple[str, ...]) -> tuple[str, ...]:
        if twice := sorted({judge for judge in panel if panel.count(judge) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice")
        return panel


def judge_hash(spec: JudgeSpec, identity: Mapping[str, Any]) -> str:
    """64 hex digits over everything that changes a verdict; `identity` is what the asker says of its model.

    The judge's name, its orders and the parameters of other forms play no part.
    """
    values = spec.model_dump(mode="json")
    parts = {
        "reader": READER,
        "form": spec.model if spec.is_builtin else spec.form,
        **{key: values[key] for key in ("template", "system", "decoding", "too_long", *_PARAMETERS[spec.form])},
        "identity": dict(identity),
    }
    return sha256_text(json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False))
