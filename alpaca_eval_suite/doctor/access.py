"""Keys, endpoints and the network: what is set, never a key's value; one token is sent only when asked for."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alpaca_eval_suite.doctor.ask import ask_python
from alpaca_eval_suite.doctor.finding import Finding
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.models.endpoint import Endpoint, read_endpoints, read_key
from alpaca_eval_suite.offline import is_offline

PROD_ENV = Path("prod_env")
_CREDENTIALS, _DEPLOYMENTS = "credentials.conf", "model_deployments.yaml"
_KEYS = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN", "HELM_CREDENTIALS")
_KEY_LINE = re.compile(r"^\s*\"?(\w+ApiKey)\"?\s*[:=]", re.MULTILINE)
_KEY_VALUE = re.compile(r"ApiKey\"?\s*[:=]\s*\"?([^\"\s]+)")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_PLAIN = ("NO_PROXY", "HF_ENDPOINT", "HF_HUB_OFFLINE")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_LONGEST_WAIT = 30.0  # seconds


def check_access(reach: bool = False) -> list[Finding]:
    """All of this module's findings; `reach` sends one token to each endpoint and deployment that is configured."""
    return [
        *key_findings(os.environ, PROD_ENV / _CREDENTIALS),
        *endpoint_findings(reach),
        *deployment_findings(PROD_ENV / _DEPLOYMENTS, reach),
        *network_findings(os.environ),
    ]


def key_findings(environment: Mapping[str, str], credentials: Path) -> Iterator[Finding]:
    """Which keys are there: those that we know of in the environment, and HELM's in its file."""
    present = [name for name in _KEYS if environment.get(name, "").strip()]
    absent = [name for name in _KEYS if name not in present]
    yield Finding("Keys in the environment", "ok", f"present: {_listed(present)}; not: {_listed(absent)}")
    if text := environment.get("HELM_CREDENTIALS", ""):
        yield Finding("Keys in HELM_CREDENTIALS", "ok", f"present: {_listed(_KEY_LINE.findall(text))}")
    if not credentials.exists():
        yield Finding(str(credentials), "ok", "there is no such file")
        return
    try:
        names = _listed(_KEY_LINE.findall(read_text(credentials)))
    except SuiteError as error:
        yield Finding(str(credentials), "fail", error.what, error.next_step or "")
        return
    if os.name == "posix" and stat.S_IMODE(credentials.stat().st_mode) & 0o077:
        advice = f"Type: chmod 600 {credentials}"
        yield Finding(str(credentials), "warn", f"present: {names}; others on this machine may read it", advice)
    else:
        yield Finding(str(credentials), "ok", f"present: {names}")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def endpoint_findings(reach: bool) -> Iterator[Finding]:
    """Each endpoint of endpoints.yaml: where it is, and whether its key is there."""
    try:
        endpoints = read_endpoints()
    except SuiteError as error:
        where = f"{error.where}: " if error.where else ""
        yield Finding("Endpoints", "fail", where + error.what, error.next_step or "")
        return
    if not endpoints:
        yield Finding("Endpoints", "ok", "none is described")
    for endpoint in endpoints.values():
        yield _endpoint_finding(endpoint, reach)


def _endpoint_finding(endpoint: Endpoint, reach: bool) -> Finding:
    name = f"Endpoint {endpoint.name}"
    key = f", key {endpoint.api_key_env} present" if endpoint.api_key_env else ", without a key"
    detail = f"{endpoint.model} at {endpoint.host}{key}"
    try:
        read_key(endpoint)
        if not reach:
            return Finding(name, "ok", f"{detail}; not asked (--reach does)")
        return Finding(name, "ok", f"{detail}; answers, serving {_ask(endpoint) or 'a model it does not name'}")
    except SuiteError as error:
        return Finding(name, "fail" if reach else "warn", error.what, error.next_step or "")


def _ask(endpoint: Endpoint) -> str | None:
    """Send one token; the id of the model that the server says it serves."""
    from alpaca_eval_suite.models.blocking_endpoint import BlockingEndpointClient
    from alpaca_eval_suite.models.request import GenerationRequest

    patient = endpoint.model_copy(update={"timeout": min(endpoint.timeout, _LONGEST_WAIT)})
    client = BlockingEndpointClient(patient, sleep=_not_at_all)
    try:
        return client.complete(GenerationRequest("Hello", max_tokens=1)).served_id
    finally:
        client.close()


async def _not_at_all(seconds: float) -> None:
    """Whoever asks for a finding wants it now."""


def deployment_findings(path: Path, reach: bool) -> Iterator[Finding]:
    """Each deployment that HELM is told of in prod_env/model_deployments.yaml."""
    import yaml

    if not path.exists():
        return
    try:
        raw: Any = yaml.safe_load(read_text(path))
        names = [str(one["name"]) for one in raw["model_deployments"]]
    except SuiteError as error:
        yield Finding(str(path), "fail", error.what, error.next_step or "")
        return
    except (yaml.YAMLError, KeyError, TypeError):
        what = "is not a YAML file with a list model_deployments, each with a name"
        yield Finding(str(path), "fail", what, "docs/judges.md shows one.")
        return
    for name in names:
        if not reach:
            yield Finding(f"Deployment {name}", "ok", "described; not asked (--reach does)")
            continue
        code = f"import json; from alpaca_eval_suite.evaluate.reach import reach; print(json.dumps(reach({name!r})))"
        asked = ask_python(code)
        if trouble := asked.error or asked.value:
            said = _without_keys(trouble, os.environ, path.with_name(_CREDENTIALS))[:300]
            yield Finding(f"Deployment {name}", "fail", f"does not answer: {said}", f"Mend it in {path}.")
        else:
            yield Finding(f"Deployment {name}", "ok", "answers")


def _without_keys(text: str, environment: Mapping[str, str], credentials: Path) -> str:
    """A server may repeat the key that it refuses."""
    written = [environment.get("HELM_CREDENTIALS", "")]
    if credentials.exists():
        written.append(credentials.read_text("utf-8", errors="replace"))
    keys = [environment.get(name, "").strip() for name in _KEYS]
    keys += [value for part in written for value in _KEY_VALUE.findall(part)]
    for key in keys:
        if len(key) > 3:
            text = text.replace(key, "***")
    return text


def network_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Offline mode, proxies (without the password in them), certificates."""
    offline = "on: nothing outside this machine is called" if is_offline() else "off"
    yield Finding("Offline mode (ALPACA_OFFLINE)", "ok", offline)
    shown = []
    for name in _PROXIES:
        if value := environment.get(name) or environment.get(name.lower()):
            shown.append(f"{name} {_without_password(value)}")
    shown += [f"{name} {value}" for name in _PLAIN if (value := environment.get(name))]
    missing = []
    for name in _CERTIFICATES:
        if value := environment.get(name):
            shown.append(f"{name} {value}")
            missing += [] if Path(value).exists() else [name]
    detail = ", ".join(shown) or "nothing is set: direct calls, the system's certificates"
    if missing:
        advice = "Correct the path or unset it: every call over https fails."
        yield Finding("Network settings", "fail", f"{detail}; {', '.join(missing)}: there is no such file", advice)
    else:
        yield Finding("Network settings", "ok", detail)


def _without_password(address: str) -> str:
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not an address)"
    return f"{parts.hostname}{port}" + (" with a password" if parts.password or parts.username else "")
