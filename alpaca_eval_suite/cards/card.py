"""The card of a scenario: its schema, and where cards are found."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.resources import scenario_roots

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Metric = Literal["preference", "short_answer", "misinformation", "stereotypes", "toxicity"]
"""`preference`: each output is compared with a baseline's. The others: each is read by the probe of that name."""

CARD_FILE = "card.yaml"
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
_File = Annotated[str, Field(pattern=r"^[^\x00]+$")]
_Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64}|unknown)$")]

UNKNOWN = "unknown"
"""In the place of a checksum: nobody could state it, so the file is not downloaded; the user fetches it by hand."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataFile(_Strict):
    """A file beside the card (`file`), or one to be fetched (`url`, with `sha256` and `size` in bytes).

    With the `sha256` "unknown" the file at the `url` is not fetched but by hand.
    """

    file: _File | None = None
    url: str | None = None
    sha256: _Sha256 | None = None
    size: int | None = Field(default=None, gt=0)

    @field_validator("url")
    @classmethod
    def _https_only(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith("https://"):
            raise ValueError("must begin with https://")
        return url

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise ValueError("needs either file or url")
        if self.url is None and self.sha256 == UNKNOWN:
            raise ValueError("the sha256 of a file beside the card is never unknown; leave the key out")
        if self.url is not None and (self.sha256 is None or (self.size is None and not self.by_hand)):
            raise ValueError("a url needs sha256 and size beside it")
        return self

    @property
    def by_hand(self) -> bool:
        """Whether only the user can put the file where it is found: no checksum says which file it must be."""
        return self.sha256 == UNKNOWN

    @property
    def name(self) -> str:
        """The file's own name, as it is searched for."""
        return Path(self.file or (self.url or "").split("?")[0]).name


class Columns(_Strict):
    """What stands where in a row. A dot goes into it: `instances.0.input` is row["instances"][0]["input"].

    Without `id` an item's id is made from its instruction. `messages`: a conversation in the instruction's place.
    """

    id: str | None = "id"
    instruction: str = "instruction"
    input: str | None = "input"
    messages: str | None = None
    reference: str | None = None
    slices: dict[str, str] = {}
    key: dict[str, str] = {}

    @model_validator(mode="after")
    def _asked_once(self) -> Self:
        twice = [name for name in ("instruction", "input") if name in self.model_fields_set and getattr(self, name)]
        if self.messages is not None and twice:
            raise ValueError(f"messages stands in the place of {' and '.join(twice)}: name the one or the other")
        return self


class Decoding(_Strict):
    """How answers are generated unless the run says otherwise; `max_tokens` counts the model's own tokens."""

    max_tokens: int = Field(default=512, gt=0)
    temperature: float = Field(default=0.0, ge=0)
    stop: tuple[str, ...] = ()


class OutputColumns(_Strict):
    """Which part of a row of outputs is what; without `id`, rows are matched by their texts."""

    output: str = "output"
    id: str | None = None
    instruction: str | None = None
    input: str | None = None

    @model_validator(mode="after")
    def _can_be_joined(self) -> Self:
        if self.id is None and self.instruction is None:
            raise ValueError("needs id, or instruction (and input) to match rows by their texts")
        return self


class Baseline(_Strict):
    """The outputs that a model is compared with by default, and whose they are."""

    name: str
    licence: str
    source: str
    data: DataFile
    columns: OutputColumns


class Card(_Strict):
    """Everything about a scenario; docs/scenarios.md explains each key."""

    name: _Name
    title: str
    description: str
    source: str
    licence: str
    citation: str = ""
    tags: tuple[str, ...] = ()
    metric: Metric
    data: DataFile
    columns: Columns = Columns()
    decoding: Decoding = Decoding()
    baseline: Baseline | None = None

    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """The folder the card lies in."""
        return self._folder


def list_cards() -> list[str]:
    """The names of all scenarios that can be run, sorted: the user's own and ours."""
    found = {card.parent.name for root in scenario_roots() for card in root.glob(f"*/{CARD_FILE}")}
    return sorted(found)


def load_card(name: str) -> Card:
    """The card of scenario `name`; a user's own folder ($ALPACA_SCENARIOS) goes before ours.

    Raises UsageError for an unknown name (the nearest is named), SuiteError for a card that is wrong.
    """
    for root in scenario_roots():
        folder = root / name
        if Path(name).name == name and (folder / CARD_FILE).is_file():
            return read_card(folder)
    known = list_cards()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UsageError(
        f"no scenario is named {name!r}",
        next_step=f"{hint}There are: {', '.join(known)}. Your own are found through $ALPACA_SCENARIOS.",
    )


class CardError(SuiteError):
    """A card that does not follow the schema; `problems` holds each slip."""

    def __init__(self, problems: list[str], path: Path) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems), where=str(path), next_step="docs/scenarios.md lists the keys of a card.")


def read_card(folder: Path) -> Card:
    """The card in `folder`, wherever that lies. Raises SuiteError for a card that is missing or wrong."""
    path = folder / CARD_FILE
    raw = _load_yaml(path)
    try:
        card = Card.model_validate(raw)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in item['loc']) or 'card'}: {_plain(item)}" for item in error.errors()
        ]
        raise CardError(problems, path) from error
    if card.name != folder.name:
        raise SuiteError(
            f"name is {card.name!r}, but the folder is {folder.name!r}",
            where=str(path),
            next_step="Give the folder the card's name, or the other way round.",
        )
    card._folder = folder
    return card


def _load_yaml(path: Path) -> Any:
    """The YAML in `path`. YAML readers silently take the last of two keys of one name; here that is an error."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value]
            if twice := sorted({str(key) for key in keys if keys.count(key) > 1}):
                raise SuiteError(
                    f"{', '.join(map(repr, twice))} stands twice",
                    where=f"{path}:{node.start_mark.line + 1}",
                    next_step="Give each key, and each column, one name of its own.",
                )
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(read_text(path), Loader)
    except yaml.YAMLError as error:
        raise SuiteError(f"is not valid YAML ({error})", where=str(path)) from error


def _plain(item: "ErrorDetails") -> str:
    return "is not a key of a card" if item["type"] == "extra_forbidden" else item["msg"]
