"""Servers that speak OpenAI's protocol, as endpoints.yaml describes them: OpenAI, Azure OpenAI, any other.

The file holds no key: it names the environment variable that does.
"""

import difflib
import os
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.offline import refuse_outside

Kind = Literal["openai", "azure", "compatible"]
Api = Literal["chat", "completions"]

DEFAULT_FILE = "endpoints.yaml"
_HOW_TO = "docs/run_specs.md shows how endpoints are described."
_OPENAI = "https://api.openai.com/v1"
_KEYS = {"openai": "OPENAI_API_KEY", "azure": "AZURE_OPENAI_API_KEY"}
_PATHS = {"chat": "/chat/completions", "completions": "/completions"}
_SECRET = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
_TRUE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


_Usd = Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False)]
# YAML makes a date of 2024-10-21.
_Day = Annotated[str, BeforeValidator(lambda given: given.isoformat() if isinstance(given, date) else given)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Price:
    """What a service asks for a million tokens, in USD: of the prompt, of the answer with its thoughts.

    `batch_discount` is the share that its batch API takes off; `as_of` the day on which this was known, "" where
    nobody said. Raises pydantic's ValidationError for a price that is negative, not finite or no number.
    """

    input: _Usd
    output: _Usd
    batch_discount: Annotated[float, Field(strict=True, ge=0, le=1)] = 0.5
    as_of: _Day = ""


class Endpoint(BaseModel):
    """One server and one model on it.

    `kind` openai and azure fill in what is known of those services; `deployment` and `api_version` are Azure's.
    `api_key_env` names the environment variable with the key; a compatible server without it gets no key. `api`:
    chat completions, or plain text completions. `timeout`: seconds without an answer. `headers` are sent along.
    `price` goes before every table of prices; a server that is a gateway to a paid service needs one. `concurrency`:
    how many requests may be open at once, at most; a server that asks to slow down gets fewer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Kind = "compatible"
    base_url: str
    model: str = Field(min_length=1)
    deployment: str | None = None
    api_version: str | None = None
    api_key_env: str | None = None
    api: Api = "chat"
    timeout: float = Field(default=600.0, gt=0, allow_inf_nan=False)
    headers: dict[str, str] = Field(default_factory=dict)
    price: Price | None = None
    concurrency: int = Field(default=64, ge=1, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: dict[str, Any]) -> dict[str, Any]:
        if "api_key" in given:
            raise ValueError("api_key: a key never stands in this file; name its environment variable as api_key_env")
        values = {key: value for key, value in given.items() if value is not None}
        for key in ("model", "deployment", "api_version"):
            # YAML makes a date of 2024-10-21 and a number of 7.
            if isinstance(values.get(key), date | int | float):
                values[key] = str(values[key])
        kind = values.get("kind", "compatible")
        if kind == "openai":
            values.setdefault("base_url", _OPENAI)
        if kind in _KEYS:
            values.setdefault("api_key_env", _KEYS[kind])
        if kind == "azure":
            for key, found in _read_azure_url(str(values.get("base_url", ""))).items():
                values.setdefault(key, found)
            values.setdefault("model", values.get("deployment"))
        return values

    @field_validator("base_url")
    @classmethod
    def _whole_address(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a whole address, such as http://127.0.0.1:8080/v1")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must hold no user name or password")
        if not 0 < (parts.port or 80) < 65536:  # a port that is no number raises here
            raise ValueError("has no such port")
        return url.strip()

    @field_validator("api_key_env")
    @classmethod
    def _name_of_a_variable(cls, name: str | None) -> str | None:
        # The value is never repeated: it may be a key that was put in the wrong place.
        if name is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            raise ValueError("must be the name of an environment variable (capitals, digits, _), not a key")
        return name

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if _SECRET.search(name):
                raise ValueError(f"{name} may hold a secret; a key goes into the variable that api_key_env names")
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[\x20-\x7e]*", value):
                raise ValueError(f"{name!r} is not a header of plain ASCII")
        return headers

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        azure = {"deployment": self.deployment, "api_version": self.api_version}
        for key, value in azure.items():
            if self.kind == "azure" and not value:
                raise ValueError(f"{key}: Field required for kind azure")
            if self.kind != "azure" and value is not None:
                raise ValueError(f"{key}: only for kind azure")
        if self.kind != "azure" and (urlsplit(self.base_url).query or urlsplit(self.base_url).fragment):
            raise ValueError("base_url: must end before any ? or #")
        return self

    @property
    def host(self) -> str:
        """The server's name or address."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def base(self) -> str:
        """The normalised address under which the API lies, without a stroke at its end."""
        parts = urlsplit(self.base_url)
        root = f"{parts.scheme}://{parts.netloc.lower()}"
        path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
        if self.kind == "azure":
            return f"{root}{path.partition('/openai')[0]}/openai/deployments/{quote(self.deployment or '', safe='')}"
        for ending in (*_PATHS.values(), "/models"):
            path = path.removesuffix(ending)
        while path.endswith("/v1/v1"):
            path = path.removesuffix("/v1")
        return root + (path or "/v1")

    @property
    def url(self) -> str:
        """Where requests are sent."""
        version = f"?api-version={quote(self.api_version or '', safe='')}" if self.kind == "azure" else ""
        return self.base + _PATHS[self.api] + version

    def identity(self) -> dict[str, Any]:
        """Everything here that may change an answer: the key of a cache. Neither name, key, timeout nor price."""
        return {"url": self.url, "model": self.model, "headers": dict(sorted(self.headers.items()))}


def _read_azure_url(url: str) -> dict[str, str]:
    """Deployment and version, where the whole address of a deployment was given."""
    parts = urlsplit(url)
    deployment = re.search(r"/deployments/([^/]+)", parts.path)
    version = parse_qs(parts.query).get("api-version")
    found = {"deployment": unquote(deployment[1]) if deployment else "", "api_version": version[0] if version else ""}
    return {key: value for key, value in found.items() if value}


def endpoints_file() -> Path:
    """$ALPACA_ENDPOINTS, else endpoints.yaml in the working folder."""
    return Path(os.environ.get("ALPACA_ENDPOINTS") or DEFAULT_FILE).expanduser()


def read_endpoints(path: Path | None = None) -> dict[str, Endpoint]:
    """The endpoints of the file (None: `endpoints_file()`) by name; empty where there is no such file.

    Raises SuiteError naming file, endpoint and key when it cannot be read.
    """
    path = path or endpoints_file()
    if not path.exists() and "ALPACA_ENDPOINTS" not in os.environ:
        return {}
    raw = read_yaml(path, _HOW_TO)
    described = raw.get("endpoints") if isinstance(raw, dict) else None
    if not isinstance(described, dict) or len(raw) != 1:
        raise SuiteError('must hold the one key "endpoints" with names below it', where=str(path), next_step=_HOW_TO)
    return {str(name): _endpoint(path, str(name), values) for name, values in described.items()}


def read_yaml(path: Path, next_step: str) -> Any:
    """What the YAML file holds. Raises SuiteError with `next_step` where it is none."""
    import yaml

    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise SuiteError(f"is not valid YAML ({error})", where=str(path), next_step=next_step) from error


def _endpoint(path: Path, name: str, values: Any) -> Endpoint:
    where = f"{path}: endpoints.{name}"
    if not _TRUE_NAME.fullmatch(name):
        raise SuiteError(
            "a name has letters, digits, dots, _ and - only", where=where, next_step="It stands in names of runs."
        )
    if not isinstance(values, Mapping):
        raise SuiteError("holds no description", where=where, next_step=_HOW_TO)
    try:
        return Endpoint.model_validate({**values, "name": name})
    except ValidationError as error:
        raise SuiteError(problems_in(error, "an endpoint"), where=where, next_step=_HOW_TO) from None


def problems_in(error: ValidationError, thing: str) -> str:
    """What is wrong with the description of `thing`, key by key; pydantic's own text would repeat values."""
    return "; ".join(_problem(item, thing) for item in error.errors(include_input=False))


def _problem(item: Any, thing: str) -> str:
    unknown = item["type"] in ("extra_forbidden", "unexpected_keyword_argument")
    place = ".".join(str(part) for part in item["loc"])
    holder = "a price" if place.startswith("price.") else thing
    message = f"is not a key of {holder}" if unknown else item["msg"]
    return f"{place}: {message}".removeprefix(": ").replace("Value error, ", "")


def find_endpoint(name: str) -> Endpoint:
    """The endpoint `name`. Raises UsageError for an unknown name, with those that the file has."""
    known = read_endpoints()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    path = endpoints_file()
    listed = f"It has: {', '.join(known)}." if known else f"{_HOW_TO}"
    state = "has no endpoint" if path.exists() else "does not exist, so there is no endpoint"
    raise UsageError(f"{state} {name!r}", where=str(path), next_step=hint + listed)


def usable_endpoint(name: str) -> Endpoint:
    """`find_endpoint`, checked as far as that goes without a call: its key is there, offline mode allows it."""
    endpoint = find_endpoint(name)
    refuse_outside(
        endpoint.host,
        where=f"endpoint {name}",
        next_step="Unset ALPACA_OFFLINE, or name an endpoint on this machine.",
    )
    read_key(endpoint)
    return endpoint


def read_key(endpoint: Endpoint) -> str | None:
    """The endpoint's key from the environment; None where it needs none.

    Raises UsageError when the variable is not set or cannot be sent; a key is never part of a message.
    """
    variable = endpoint.api_key_env
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UsageError(
            f"the environment variable {variable}, which should hold its key, is not set",
            where=f"endpoint {endpoint.name}",
            next_step=f"Type: export {variable}=... (or name another variable as api_key_env in {endpoints_file()}).",
        )
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise UsageError(
            f"the key in {variable} holds spaces, line ends or letters that no key has",
            where=f"endpoint {endpoint.name}",
            next_step="Copy it again.",
        )
    return key
