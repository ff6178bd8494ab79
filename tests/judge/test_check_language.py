"""Which language a text is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.check_language import language_of


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The meeting has been moved to Thursday morning."),
        ("de", "Die Besprechung wurde auf Donnerstagmorgen verlegt."),
        ("es", "La reunión se ha aplazado al jueves por la mañana."),
        ("fr", "La réunion a été déplacée à jeudi matin."),
        ("it", "La riunione è stata spostata a giovedì mattina."),
        ("nl", "De vergadering is naar donderdagochtend verplaatst."),
        ("pt", "A reunião foi adiada para quinta-feira de manhã."),
        ("ru", "Встреча перенесена на утро четверга."),
        ("el", "Η συνάντηση μεταφέρθηκε για το πρωί της Πέμπτης."),
        ("ar", "تم نقل الاجتماع إلى صباح الخميس."),
        ("he", "הפגישה הועברה ליום חמישי בבוקר."),
        ("hi", "बैठक गुरुवार सुबह के लिए स्थगित कर दी गई है।"),
        ("ja", "会議は木曜日の朝に変更されました。"),
        ("zh", "会议改到星期四上午。"),
        ("ko", "회의가 목요일 아침으로 변경되었습니다."),
        ("th", "การประชุมเลื่อนไปเป็นเช้าวันพฤหัสบดี"),
    ],
)
def test_each_language_is_told(code: str, text: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize("text", ["", " \n", "12:30", "🙂🙂", "\u200b\u200b", "\ud800"])
def test_no_letters_no_language(text: str) -> None:
    assert language_of(text) is None


def test_most_of_the_text_decides() -> None:
    assert language_of("Bien sûr ! Voici la réponse que vous avez demandée hier soir. OK, thanks.") == "fr"
    assert language_of("Das Wort «мир» heißt auf Deutsch Frieden und auch Welt.") == "de"


def test_a_hundred_kilobytes() -> None:
    assert language_of("La casa es muy bonita y tiene un jardín grande. " * 2_000) == "es"


@given(st.text())
def test_raises_on_no_text(text: str) -> None:
    assert language_of(text) is None or len(str(language_of(text))) == 2
