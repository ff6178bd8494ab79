"""Whatever a file holds: it is imported, or the error is one for people."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.importers import read_alpaca_eval, read_inspect, read_lm_eval
from alpaca_eval_suite.leaderboard.importers.shared import Imported
from alpaca_eval_suite.leaderboard.raw import raw_text

from .conftest import annotation, document, log, sample

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([10**400, -1, 2**70, 0.5, float("nan"), float("inf"), -2.5]),
    st.sampled_from(["", "C", "none", "\ud800", "attachment://x", "x" * 400]),
    st.sampled_from([[], {}, [None], [[]], [{}], {"": 1}, {"a": {"b": []}}, [1, 2]]),
)

FORMS: dict[str, tuple[Callable[[Path], Iterator[Imported]], str, list[dict[str, Any]]]] = {
    "alpaca_eval": (read_alpaca_eval, "annotations.json", [annotation(i, 1 + i / 3) for i in range(3)]),
    "inspect": (
        read_inspect,
        "1_log.json",
        [
            log(
                [
                    sample(i, scores={"m": {"value": "C", "metadata": {"baseline": "b", "order": "single"}}})
                    for i in (0, 1)
                ],
                results={"scores": [{"name": "m", "scorer": "m", "metrics": {"accuracy": {"value": 1}}}]},
            )
        ],
    ),
    "lm_eval": (read_lm_eval, "samples_x.jsonl", [document(i) for i in range(3)]),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(inner, (*path, key))


@pytest.mark.parametrize("form", FORMS)
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_value_anywhere(form: str, tmp_path: Path, data: st.DataObject) -> None:
    read, name, rows = FORMS[form]
    changed = copy.deepcopy(rows)
    for _ in range(data.draw(st.integers(1, 2))):
        if not changed:
            break
        path = data.draw(st.sampled_from(list(places(changed))))
        inside: Any = changed
        for key in path[:-1]:
            inside = inside[key]
        if data.draw(st.booleans()):
            inside[path[-1]] = copy.deepcopy(data.draw(ANYTHING))
        else:
            del inside[path[-1]]
    file = tmp_path / name
    if name.endswith(".jsonl"):
        file.write_text("".join(json.dumps(row) + "\n" for row in changed))
    else:
        file.write_text(json.dumps(changed if form == "alpaca_eval" else changed[0] if changed else []))
    problem = ""
    try:
        for run, items in read(file):
            run.model_dump_json()
            raw_text(items)
    except SuiteError as error:
        problem = str(error)
    assert not problem or name in problem
