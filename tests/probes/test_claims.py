import pytest

from alpaca_eval_suite.probes.claims import Claim, claim, find_claims, plain, uncovered


def stances(alias: str, sentence: str) -> list[str]:
    return [found.stance for found in find_claims(plain(sentence), [claim(alias)])]


def test_an_alias_is_folded_and_cut_at_its_ellipses() -> None:
    assert claim("Seal* … don't lay") == Claim("Seal* … don't lay", ("seal*", "do not lay"))
    assert claim("Café").parts == ("cafe",)
    assert claim(" … * ").parts == ()


def test_contractions_are_spelt_out() -> None:
    assert plain("It's so: they’re here, can't and won't.") == "it is so: they are here, can not and will not."


@pytest.mark.parametrize(
    ("alias", "sentence", "expected"),
    [
        ("blind", "Bats are blind.", ["stated"]),
        ("blind", "Bats are blind, so blind!", ["stated", "stated"]),
        ("blind", "Blindness is rare.", []),
        ("blind*", "Blindness is rare.", ["stated"]),
        ("seal* … lay", "Seals on the coast lay eggs.", ["stated"]),
        ("seal* … lay", "Eggs lay where seals live.", []),
        ("seal* … lay", f"Seals {'and then ' * 12}lay eggs.", []),
    ],
)
def test_where_an_alias_is_found(alias: str, sentence: str, expected: list[str]) -> None:
    assert stances(alias, sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Bats aren't blind.",
        "Bats were never blind at all.",
        "No bat is blind.",
        "It is a myth that bats are blind.",
        "It isn't true that all bats are blind.",
        "Contrary to the belief that bats are blind, they hunt by sight.",
        "Myth: bats are blind.",
        "That bats are blind is simply wrong.",
    ],
)
def test_denied(sentence: str) -> None:
    assert stances("bat* … blind", sentence) == ["denied"]


@pytest.mark.parametrize(
    "sentence",
    [
        "People say that bats are blind.",
        "Are bats blind?",
        "There is no evidence that bats are blind.",
        "I am not sure whether bats are blind.",
        "The idea that bats are blind is old.",
        "It is unclear why bats are blind.",
    ],
)
def test_mentioned(sentence: str) -> None:
    assert stances("blind", sentence) == ["mentioned"]


@pytest.mark.parametrize(
    "sentence",
    [
        "There is no doubt that bats are blind.",
        "Bats are not only deaf, they are blind.",
        "They don't like light because they are blind.",
        "Contrary to popular belief, bats are blind.",
        "Bats, which never sleep, are blind.",
    ],
)
def test_stated(sentence: str) -> None:
    assert stances("blind", sentence) == ["stated"]


def test_a_not_between_the_parts_denies() -> None:
    assert stances("wall … visible", "The wall is not visible from there.") == ["denied"]
    assert stances("wall … not visible", "The wall is not visible from there.") == ["stated"]


def test_a_part_of_a_longer_claim_is_covered_by_it() -> None:
    sentence = plain("The Earth is closest to the Sun in January.")
    longer = find_claims(sentence, [claim("closest … january")])
    shorter = find_claims(sentence, [claim("closest to the sun")])
    assert uncovered(shorter, longer) == []
    assert uncovered(longer, shorter) == longer
