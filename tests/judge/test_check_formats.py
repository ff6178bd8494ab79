"""What an answer can be read as."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.check_formats import Format, markdown_tables, readings, table_rows

FORMATS: list[Format] = ["json", "csv", "yaml", "python", "html", "markdown_table", "email"]


def keys_of(kind: Format, text: str) -> set[str] | None:
    """The keys of the first reading, or None when there is none."""
    first = next(readings(kind, text), None)
    return None if first is None else set(first.keys)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('{"a": 1, "B": [2]}', {"a", "b"}),
        ('Sure:\n```json\n{"a": 1}\n```\nHope it helps.', {"a"}),
        ('```json\n{"a": 1}', {"a"}),
        ('Here it is: {"a": {"b": 1}} as asked.', {"a"}),
        ('[{"a": 1, "b": 2}, {"a": 3}]', {"a"}),
        ("[1, 2]", set()),
        ('{"a": 1, "a": 2}', {"a"}),
        ("{'a': 1}", None),
        ('{"a": {"b": 1}', None),
        ('{"a": [{"b": 1}], "c": }', None),
        ("42", None),
        ("[]", None),
        ("", None),
        ("[" * 100_000, None),
        ('{"a":' * 20_000, None),
        ("9" * 10_000, None),
    ],
)
def test_json(text: str, keys: set[str] | None) -> None:
    assert keys_of("json", text) == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("name: Ada\nrole: tester", {"name", "role"}),
        ("- name: Ada\n  city: Rome\n- name: Bob", {"name"}),
        ("```yaml\nname: Ada\n```", {"name"}),
        ("- a\n- b", set()),
        ("Just some prose.", None),
        ("a: b: c", None),
        ("a: [1, 2", None),
        ("!!python/object/apply:os.system ['true']", set()),
        ("", None),
        ("x: " * 30_000, None),
    ],
)
def test_yaml(text: str, keys: set[str] | None) -> None:
    assert keys_of("yaml", text) == keys


def test_a_yaml_bomb_does_not_explode() -> None:
    layers = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    start = time.perf_counter()
    assert keys_of("yaml", "\n".join(["l0: &l0 [lol]", *layers])) == {f"l{n}" for n in range(30)}
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("text", "keys", "columns"),
    [
        ("id,label\n1,praise\n2,question", {"id", "label"}, 2),
        ('name,quote\nAda,"well, well"\nBob,"a ""b"""', {"name", "quote"}, 2),
        ("Here you are.\n\na,b,c\n1,2,3\n\nAnything else?", {"a", "b", "c"}, 3),
        ("```\na, b\n1, 2\n```", {"a", "b"}, 2),
        ("a,b\n1,2\n3", {"a", "b"}, 2),
    ],
)
def test_csv(text: str, keys: set[str], columns: int) -> None:
    first = next(readings("csv", text))
    assert (set(first.keys), first.columns) == (keys, columns)


@pytest.mark.parametrize("text", ["", "a,b", "a\nb", "a,b\n1,2,3", 'a,b\n"1,2', "a;b\n1;2"])
def test_no_csv(text: str) -> None:
    assert keys_of("csv", text) is None


TABLE = "| Day | **Dish** |\n|:--- | ---: |\n| Mon | a \\| b |\n| Tue | `c` |"


def test_markdown_tables() -> None:
    assert markdown_tables(TABLE) == [[["Day", "Dish"], ["Mon", "a | b"], ["Tue", "c"]]]
    assert table_rows(f"Look:\n\n{TABLE}\n\nDone.") == 2
    assert next(readings("markdown_table", f"```\n{TABLE}\n```")).columns == 2
    assert keys_of("markdown_table", "a | b\n--|--\n1 | 2") == {"a", "b"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "| a | b |",
        "| a | b |\n| --- | --- |",
        "| a | b |\n| 1 | 2 |\n| 3 | 4 |",
        "| a | b |\n| --- |\n| 1 | 2 |",
        "a\tb\n1\t2",
    ],
)
def test_no_markdown_table(text: str) -> None:
    assert table_rows(text) == 0


def test_a_row_with_a_cell_too_many_is_a_row_but_no_sound_table() -> None:
    ragged = f"{TABLE}\n| Wed | d | e |"
    assert table_rows(ragged) == 3
    assert keys_of("markdown_table", ragged) is None


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("def f(a):\n    return a", {"f"}),
        ("Here:\n```python\nclass Box:\n    def open(self): ...\n```\nDone.", {"box", "open"}),
        ("This is how:\n\nloud = [w.upper() for w in words]\n\nIt makes a list.", {"loud", "w"}),
        ("print('hi')", set()),
        ("pattern = '\\d'", {"pattern"}),
        ("def f(a)\n    return a", None),
        ("Yes", None),
        ("42", None),
        ("Note: nothing", None),
        ("a, b", None),
        ("", None),
        ("(" * 40_000, None),
        ("-" * 40_000 + "1", None),
        ("x = 1\n" * 20_000, None),
    ],
)
def test_python(text: str, keys: set[str] | None) -> None:
    assert keys_of("python", text) == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("<p>Hi <b>you</b><br>there", {"p", "b", "br"}),
        ('```html\n<form><input type="email" required></form>\n```', {"form", "input"}),
        ("<ul><li>a<li>b</ul>", {"ul", "li"}),
        ("<!-- <b> --><i>x</i>", {"i"}),
        ("<svg/>a<br/>b", {"svg", "br"}),
        ("<b><i>x</b></i>", None),
        ("<div>", None),
        ("</p>", None),
        ("1 < 2 > 0", None),
        ("", None),
        ("<a " * 30_000, None),
        ("<!--" * 25_000, None),
    ],
)
def test_html(text: str, keys: set[str] | None) -> None:
    assert keys_of("html", text) == keys


LETTER = "Dear Ms Hill,\n\nyour parcel arrived today. Please collect it before Friday.\n\nKind regards,\nAda Byron"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (LETTER, set()),
        (f"Subject: Parcel\nTo: x@example.org\n\n{LETTER}", {"subject", "to"}),
        (f"**Subject**: Parcel\n\n{LETTER}", {"subject"}),
        (f"Sure, here is the e-mail:\n\n{LETTER}\n\nLet me know if it should be shorter.", set()),
        ("Hi Bob,\nthanks for the note, see you at six.\nAda", set()),
        ("Hi Bob,\n\nThank you for the invitation!\nI shall bring a cake.\n\nCheers\nAda", set()),
        (
            "Hi Bob,\n\nThanks for asking, but I have to work and cannot come.\n\nHave fun!\n\nAda",
            set(),
        ),
        ("Sehr geehrte Frau Hügel,\n\nIhr Paket ist heute gekommen.\n\nMit freundlichen Grüßen\nAda", set()),
        ("Hola Ana:\n\nTu paquete ha llegado hoy a mi casa.\n\nUn saludo,\nAda", set()),
        ("Dear Ms Hill,\nKind regards,\nAda", None),
        ("Your parcel arrived today.", None),
        ("Dear Ms Hill, your parcel arrived today and you can collect it.", None),
        ("", None),
    ],
)
def test_email(text: str, keys: set[str] | None) -> None:
    assert keys_of("email", text) == keys


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 50_000,
        '"a,\n' * 20_000,
        "|-" * 50_000,
        "dear\n" * 20_000,
        "```\n" * 25_000,
        "\0" * 99,
    ],
    ids=["brackets", "dashes", "quotes", "rules", "greetings", "fences", "nul"],
)
def test_a_hundred_kilobytes_take_no_time(kind: Format, text: str) -> None:
    start = time.perf_counter()
    assert all(reading.columns is None or reading.columns > 0 for reading in readings(kind, text))
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("kind", FORMATS)
@given(text=st.text() | st.text(alphabet=" \n\t\"'`|:-,[]{}()<>/!&*#=abdefr0.\\~", max_size=60))
def test_raises_on_no_text(kind: Format, text: str) -> None:
    assert all(isinstance(reading.keys, frozenset) for reading in readings(kind, text))
