"""Keys are there or not, and never shown; one token goes out only when it is asked for."""

import json
import os
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.doctor import access
from alpaca_eval_suite.doctor.access import (
    check_access,
    deployment_findings,
    endpoint_findings,
    key_findings,
    network_findings,
)
from alpaca_eval_suite.doctor.ask import Asked
from alpaca_eval_suite.doctor.finding import Finding

KEY = "sk-very-secret-123"


def said(findings: Any) -> str:
    return json.dumps([finding.as_json() for finding in findings])


def by_name(findings: Any) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server of OpenAI's chat completions, and what it was asked."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            message = {"role": "assistant", "content": "Hi"}
            body = json.dumps(
                {
                    "id": "1",
                    "model": "served-7b",
                    "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
                }
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Not on the terminal."""

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_address[1]}/v1", requests
    found.shutdown()
    found.server_close()


def describe(base_url: str, **more: str) -> None:
    import yaml

    described = {"base_url": base_url, "model": "mine", **more}
    Path("endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"judge": described}}))


def test_keys_are_present_or_not_and_never_shown(own_place: Path) -> None:
    conf = own_place / "prod_env" / "credentials.conf"
    conf.parent.mkdir()
    conf.write_text(f'openaiApiKey: "{KEY}"\nmylabApiKey = "{KEY}"\nother: 1\n')
    conf.chmod(0o600)
    environment = {"OPENAI_API_KEY": KEY, "HF_TOKEN": " ", "HELM_CREDENTIALS": f'{{anthropicApiKey: "{KEY}"}}'}
    found = by_name(key_findings(environment, conf))
    assert KEY not in said(found.values())
    assert found["Keys in the environment"].detail == (
        "present: OPENAI_API_KEY, HELM_CREDENTIALS; not: AZURE_OPENAI_API_KEY, ANTHROPIC_API_KEY, HF_TOKEN"
    )
    assert found[str(conf)].detail == "present: openaiApiKey, mylabApiKey"
    assert found[str(conf)].state == "ok"


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such permissions")
def test_a_file_of_keys_that_others_can_read(own_place: Path) -> None:
    conf = own_place / "credentials.conf"
    conf.write_text('openaiApiKey: "x"\n')
    conf.chmod(0o644)
    [_, finding] = key_findings({}, conf)
    assert (finding.state, finding.advice) == ("warn", f"Type: chmod 600 {conf}")
    assert stat.S_IMODE(conf.stat().st_mode) == 0o644  # the doctor changes nothing


def test_nothing_is_configured() -> None:
    assert {finding.state for finding in check_access()} == {"ok"}


def test_an_endpoint_is_asked_only_on_request(server: tuple[str, list[dict[str, Any]]]) -> None:
    base_url, requests = server
    describe(base_url)
    [finding] = endpoint_findings(reach=False)
    assert (finding.name, finding.state, requests) == ("Endpoint judge", "ok", [])
    assert "mine at 127.0.0.1, without a key; not asked" in finding.detail
    [finding] = endpoint_findings(reach=True)
    assert finding.state == "ok"
    assert "answers, serving served-7b" in finding.detail
    assert len(requests) == 1
    assert [requests[0].get(name) for name in ("max_tokens", "max_completion_tokens") if name in requests[0]] == [1]


def test_the_key_of_an_endpoint(monkeypatch: pytest.MonkeyPatch, server: tuple[str, list[dict[str, Any]]]) -> None:
    describe(server[0], api_key_env="MY_KEY")
    monkeypatch.delenv("MY_KEY", raising=False)
    [finding] = endpoint_findings(reach=False)
    assert finding.state == "warn"
    assert "MY_KEY" in finding.detail
    [finding] = endpoint_findings(reach=True)
    assert finding.state == "fail"
    monkeypatch.setenv("MY_KEY", KEY)
    [finding] = endpoint_findings(reach=False)
    assert "key MY_KEY present" in finding.detail
    assert KEY not in said(endpoint_findings(reach=True))


def test_an_endpoint_that_is_not_there() -> None:
    describe("http://127.0.0.1:9/v1")
    [finding] = endpoint_findings(reach=True)
    assert finding.state == "fail"
    assert finding.advice


def test_an_endpoints_file_that_is_wrong() -> None:
    Path("endpoints.yaml").write_text("endpoints: [1]\n")
    [finding] = endpoint_findings(reach=False)
    assert (finding.name, finding.state) == ("Endpoints", "fail")


def test_deployments_that_helm_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("model_deployments.yaml")
    assert list(deployment_findings(path, reach=True)) == []
    path.write_text("model_deployments:\n  - name: mylab/judge\n  - name: mylab/other\n")
    assert [finding.detail for finding in deployment_findings(path, reach=False)] == [
        "described; not asked (--reach does)"
    ] * 2

    def answer(code: str) -> Asked:
        return Asked("") if "'mylab/judge'" in code else Asked(f"401: wrong key {KEY}")

    monkeypatch.setattr(access, "ask_python", answer)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    first, second = deployment_findings(path, reach=True)
    assert (first.state, first.detail) == ("ok", "answers")
    assert (second.state, second.detail) == ("fail", "does not answer: 401: wrong key ***")


@pytest.mark.parametrize("text", ["a: [", "deployments: []", "model_deployments: [1]"])
def test_a_deployments_file_that_is_wrong(text: str) -> None:
    Path("model_deployments.yaml").write_text(text)
    [finding] = deployment_findings(Path("model_deployments.yaml"), reach=False)
    assert finding.state == "fail"


def test_proxies_are_shown_without_their_password() -> None:
    environment = {
        "https_proxy": f"http://me:{KEY}@proxy.example:3128",
        "HTTP_PROXY": "proxy.example:8080",
        "HF_ENDPOINT": "https://m",
    }
    found = by_name(network_findings(environment))["Network settings"]
    assert KEY not in found.detail
    assert found.detail == (
        "HTTP_PROXY proxy.example:8080, HTTPS_PROXY proxy.example:3128 with a password, HF_ENDPOINT https://m"
    )


def test_certificates_that_are_not_there(own_place: Path) -> None:
    (own_place / "ca.pem").write_text("x")
    fine, missing = str(own_place / "ca.pem"), str(own_place / "gone.pem")
    assert by_name(network_findings({"SSL_CERT_FILE": fine}))["Network settings"].state == "ok"
    found = by_name(network_findings({"SSL_CERT_FILE": fine, "REQUESTS_CA_BUNDLE": missing}))["Network settings"]
    assert found.state == "fail"
    assert found.detail.endswith("REQUESTS_CA_BUNDLE: there is no such file")


@pytest.mark.parametrize(("value", "word"), [("1", "on"), ("0", "off"), ("", "off")])
def test_offline_mode(monkeypatch: pytest.MonkeyPatch, value: str, word: str) -> None:
    monkeypatch.setenv("ALPACA_OFFLINE", value)
    assert by_name(network_findings({}))["Offline mode (ALPACA_OFFLINE)"].detail.startswith(word)
