"""A user's table: what is read, and every slip in it named."""

import json
from pathlib import Path

import pytest

from alpaca_eval_suite.cards.table import Table, read_table
from alpaca_eval_suite.errors import SuiteError, UsageError

GOOD = 'id,question,topic\n1,"What, if anything, is\n2 + 2?",sums\n2,Say hé.,\n'


def written(tmp_path: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(table: Table) -> list[dict[str, object]]:
    return [dict(row) for _, row in table.rows]


def test_csv_with_a_comma_a_line_end_and_an_empty_cell(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    table = read_table(path)
    assert table.columns == ("id", "question", "topic")
    assert cells(table) == [
        {"id": "1", "question": "What, if anything, is\n2 + 2?", "topic": "sums"},
        {"id": "2", "question": "Say hé.", "topic": ""},
    ]
    assert [where for where, _ in table.rows] == [f"{path}:3", f"{path}:4"]


@pytest.mark.parametrize(
    "content", [GOOD.encode("utf-8-sig"), GOOD.replace("\n", "\r\n").encode(), b"\n" + GOOD.encode()]
)
def test_a_byte_order_mark_windows_line_ends_and_blank_lines_change_nothing(tmp_path: Path, content: bytes) -> None:
    table = read_table(written(tmp_path, content))
    assert table.columns == ("id", "question", "topic")
    assert [row["id"] for row in cells(table)] == ["1", "2"]


@pytest.mark.parametrize(("name", "sign"), [("t.csv", ";"), ("t.tsv", "\t"), ("t.csv", "\t")])
def test_semicolons_and_tabs_where_the_header_has_no_comma(tmp_path: Path, name: str, sign: str) -> None:
    table = read_table(written(tmp_path, f"id{sign}question\n1{sign}One, two?\n", name))
    assert cells(table) == [{"id": "1", "question": "One, two?"}]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_another_encoding_when_it_is_named(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "question\nSay hé.\n".encode(encoding))
    assert cells(read_table(path, encoding)) == [{"question": "Say hé."}]


@pytest.mark.parametrize(
    ("encoding", "what", "next_step"),
    [
        (
            "latin-1",
            "is not UTF-8 text: byte 0xE9 at position 14, line 2",
            "If it is latin-1, add --encoding latin-1; or convert it: iconv -f latin1 -t utf-8 t.csv > utf8-t.csv",
        ),
        (
            "utf-16",
            "is not UTF-8 text: byte 0xFF at position 0, line 1",
            "If it is utf-16, add --encoding utf-16; or convert it: iconv -f utf-16 -t utf-8 t.csv > utf8-t.csv",
        ),
    ],
)
def test_a_file_that_is_not_utf8(tmp_path: Path, encoding: str, what: str, next_step: str) -> None:
    path = written(tmp_path, "question\nSay hé.\n".encode(encoding))
    with pytest.raises(SuiteError) as caught:
        read_table(path)
    assert (caught.value.where, caught.value.what, caught.value.next_step) == (str(path), what, next_step)


def test_the_named_encoding_does_not_fit(tmp_path: Path) -> None:
    path = written(tmp_path, b"question\nSay h\x81.\n")
    with pytest.raises(SuiteError, match="is not cp1252 text: byte 0x81 at position 14, line 2"):
        read_table(path, "cp1252")


@pytest.mark.parametrize("encoding", ["latin-99", "base64"])
def test_an_unknown_encoding(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UsageError, match=f"no encoding is named '{encoding}'"):
        read_table(written(tmp_path, GOOD), encoding)


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        ("id,q,id\n1,x,2\n", ":1", "two columns are named 'id'"),
        ("id, id \n1,x\n", ":1", "two columns are named 'id'"),
        ("id,,q\n1,x,2\n", ":1", "column 2 has no name"),
        ('id,q\n1,"x\n', ":2", "is not CSV (unexpected end of data)"),
    ],
)
def test_what_makes_a_whole_csv_unreadable(tmp_path: Path, content: str, where: str, what: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SuiteError) as caught:
        read_table(path)
    assert (caught.value.where, caught.value.what) == (f"{path}{where}", what)


def test_every_bad_row_is_reported(tmp_path: Path) -> None:
    path = written(tmp_path, "id,q\n1\n2,b\n3,c,d\n")
    problems: list[SuiteError] = []
    table = read_table(path, report=problems.append)
    assert [(one.where, one.what) for one in problems] == [
        (f"{path}:2", "has 1 cells, the header has 2"),
        (f"{path}:4", "has 3 cells, the header has 2"),
    ]
    assert cells(table) == [{"id": "2", "q": "b"}]


def test_a_long_cell_is_no_error_and_the_csv_module_is_left_as_it_was(tmp_path: Path) -> None:
    import csv

    before = csv.field_size_limit()
    table = read_table(written(tmp_path, f"q\n{'x' * 200_000}\n"))
    assert len(str(cells(table)[0]["q"])) == 200_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["t.jsonl", "t.json", "t.ndjson"])
def test_json_lines_and_a_json_list(tmp_path: Path, name: str) -> None:
    rows = [{"q": "a", "n": 1}, {"q": "b", "more": {"x": 2}}]
    text = json.dumps(rows) if name == "t.json" else "\n".join(map(json.dumps, rows))
    table = read_table(written(tmp_path, text, name))
    assert table.columns == ("q", "n", "more")
    assert cells(table) == rows


def test_every_bad_line_of_json_is_reported(tmp_path: Path) -> None:
    path = written(tmp_path, '{"q": 1\n{"q": "b"}\n[1]\n', "t.jsonl")
    problems: list[SuiteError] = []
    assert cells(read_table(path, report=problems.append)) == [{"q": "b"}]
    assert [one.where for one in problems] == [f"{path}:1", f"{path}:3"]


@pytest.mark.parametrize(("name", "content"), [("t.csv", ""), ("t.csv", "id,q\n"), ("t.json", "[]"), ("t.jsonl", "\n")])
def test_a_table_without_rows(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(SuiteError, match="holds no rows"):
        read_table(written(tmp_path, content, name))


def test_an_ending_that_says_nothing_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the ending '\.xlsx' says nothing of the form"):
        read_table(written(tmp_path, "x", "t.xlsx"))
    with pytest.raises(SuiteError, match="cannot be read"):
        read_table(tmp_path / "missing.csv")
