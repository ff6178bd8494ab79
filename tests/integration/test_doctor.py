"""The doctor on this very environment, as a process, and on a judge that is described to HELM."""

import json
from collections.abc import Callable
from typing import Any

ServeJudge = Callable[..., Any]


def test_this_environment_is_fine_and_no_key_is_shown(place: Any) -> None:
    done = place.run("alpaca-suite", "doctor", "--json", OPENAI_API_KEY="sk-very-secret")
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, [finding for finding in found.values() if finding["state"] == "fail"]
    assert "sk-very-secret" not in done.stdout + done.stderr
    assert "present: OPENAI_API_KEY" in found["Keys in the environment"]["detail"]
    assert (found["HELM plugin"]["detail"], found["Extra [helm]"]["state"]) == ("loads", "ok")
    assert found["Scenario capitals"]["detail"] == "195 items, data shipped"


def test_a_judge_that_helm_knows_is_reached_on_request(place: Any, serve_judge: ServeJudge) -> None:
    judge = serve_judge(lambda a, b: "Hello to you")
    place.register("local/judge", judge.base_url)
    place.register("local/gone", "http://127.0.0.1:9/v1")
    done = place.run("alpaca-suite", "doctor", "--json")
    assert judge.requests == []
    done = place.run("alpaca-suite", "doctor", "--reach", "--json")
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert (found["Deployment local/judge"]["state"], len(judge.requests)) == ("ok", 1)
    assert judge.requests[0]["max_tokens"] == 1
    assert found["Deployment local/gone"]["state"] == "fail"
    assert "does not answer: " in found["Deployment local/gone"]["detail"]
