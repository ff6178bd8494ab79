"""Names of served models: those that move, those that changed, and where a file lay."""

import pytest

from alpaca_eval_suite.models.served import alias_notes, joined, without_place

DATED = "gpt-4o-mini-2024-07-18"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("/home/me/models/judge.gguf", "judge.gguf"),
        ("/home/me/models/judge/", "judge"),
        ("C:\\models\\judge.gguf", "judge.gguf"),
        ("~/judge", "judge"),
        ("Qwen/Qwen2.5-72B-Instruct", "Qwen/Qwen2.5-72B-Instruct"),
        (DATED, DATED),
    ],
)
def test_paths_are_told_by_their_last_part(name: str, kept: str) -> None:
    assert without_place(name) == kept


def test_nothing_is_doubtful() -> None:
    assert alias_notes("endpoint/judge", DATED, [DATED, None, DATED], [DATED]) == []
    assert alias_notes("endpoint/judge", "/data/judge", ["judge"]) == []
    assert alias_notes("endpoint/judge", DATED, []) == []


@pytest.mark.parametrize("name", ["chatgpt-4o-latest", "llama3:latest", "latest", "mistral-large-LATEST", "a/latest"])
def test_names_that_move_by_their_own_words(name: str) -> None:
    (note,) = alias_notes("endpoint/judge", name, [name])
    assert note.startswith(f"endpoint/judge: {name} is a name that moves on")


@pytest.mark.parametrize("name", ["latest-news-7b", "mylatest", "gpt-4o"])
def test_names_that_do_not_say_so(name: str) -> None:
    assert alias_notes("endpoint/judge", name, [name]) == []


def test_another_model_than_asked_for() -> None:
    (note,) = alias_notes("endpoint/judge", "gpt-4o-mini", [DATED])
    assert f"asked for gpt-4o-mini, the server named {DATED}" in note


def test_several_models_in_one_run() -> None:
    (note,) = alias_notes("endpoint/judge", "a", ["b", "a"])
    assert "named several models within one run: a, b" in note


def test_a_name_that_moved_between_cache_and_now() -> None:
    several, moved = alias_notes("endpoint/judge", "a", ["a-2"], ["a-1"])
    assert "several models within one run: a-1, a-2" in several
    assert "answers from the cache came from a-1, new ones from a-2" in moved


def test_ids_in_a_record() -> None:
    assert joined(["b", None, "a", "b"]) == "a, b"
    assert joined([None]) is None
