import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.request import Message
from alpaca_eval_suite.models.tokenizer import CheckpointTokenizer, TextStream, get_tokenizer

Tiny = Callable[..., Path]
BOS, EOS, TURN, END = 1, 2, 3, 4
NO_BOS_TEMPLATE = "{% for m in messages %}<|turn|>{{ m['content'] }}<|end|>{% endfor %}"
HELLO = (Message("user", "Hi"),)


def load(folder: Path) -> CheckpointTokenizer:
    return CheckpointTokenizer.load(Checkpoint.open(folder))


@pytest.mark.parametrize(
    ("bos", "eos", "text", "first"),
    [
        (True, False, "Hi", [BOS]),
        (False, False, "Hi", []),
        (True, False, "<s>Hi", [BOS]),
        (False, False, "<s>Hi", [BOS]),
        (True, True, "Hi", [BOS]),
        (False, True, "Hi", []),
    ],
)
def test_plain_text_has_one_bos_where_the_tokenizer_uses_one(
    tiny: Tiny, bos: bool, eos: bool, text: str, first: list[int]
) -> None:
    tokenizer = load(tiny(bos=bos, eos=eos))
    ids = tokenizer.encode(text)
    assert ids[: len(first)] == first
    assert ids.count(BOS) == len(first)
    assert EOS not in ids
    assert tokenizer.decode(ids[len(first) :]) == "Hi"


@pytest.mark.parametrize("bos", [True, False])
def test_a_template_with_bos_is_not_given_a_second_one(tiny: Tiny, bos: bool) -> None:
    ids = load(tiny(bos=bos)).encode_prompt(HELLO).ids
    assert ids[:2] == (BOS, TURN)
    assert ids.count(BOS) == 1


@pytest.mark.parametrize(("bos", "count"), [(True, 1), (False, 0)])
def test_a_template_without_bos_gets_the_tokenizers_own(tiny: Tiny, bos: bool, count: int) -> None:
    ids = load(tiny(bos=bos, template=NO_BOS_TEMPLATE)).encode_prompt(HELLO).ids
    assert ids.count(BOS) == count


def test_encode_without_special_tokens(tiny: Tiny) -> None:
    tokenizer = load(tiny())
    assert tokenizer.decode(tokenizer.encode("Hi", add_special=False)) == "Hi"
    assert tokenizer.count_tokens("Hi") == 2


def test_the_prompt_is_rendered_as_the_template_says(tiny: Tiny) -> None:
    tokenizer = load(tiny())
    assert tokenizer.has_chat_template
    assert tokenizer.render((Message("system", "Be brief."), Message("user", "Hi"))) == (
        "<s><|turn|>system\nBe brief.<|end|>\n<|turn|>user\nHi<|end|>\n<|turn|>assistant\n"
    )


def test_smollm2s_template_byte_for_byte(instruct: Path) -> None:
    assert get_tokenizer(instruct).render(HELLO) == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


def test_no_chat_template_is_an_error_not_a_guess(tiny: Tiny) -> None:
    tokenizer = load(tiny(template=None))
    assert not tokenizer.has_chat_template
    with pytest.raises(SuiteError, match="holds no chat template"):
        tokenizer.encode_prompt(HELLO)


def test_a_template_that_refuses_a_role_is_quoted(tiny: Tiny) -> None:
    template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}x"
    with pytest.raises(SuiteError, match=r"\(system, user\): no system turn"):
        load(tiny(template=template)).render((Message("system", "x"), *HELLO))


def test_a_template_cannot_reach_python(tiny: Tiny) -> None:
    template = "{{ messages.__class__.__base__.__subclasses__() }}"
    with pytest.raises(SuiteError, match="chat template"):
        load(tiny(template=template)).render(HELLO)


def test_ends_are_those_of_configuration_tokenizer_and_chat_template(tiny: Tiny) -> None:
    folder = tiny(eos_token_id=2)
    assert load(folder).end_ids == {EOS, END}
    path = folder / "generation_config.json"
    path.write_text(json.dumps({"eos_token_id": [2, 77, 78]}))
    assert load(folder).end_ids == {EOS, END, 77, 78}


def test_without_a_template_the_end_of_turn_is_no_end(tiny: Tiny) -> None:
    assert load(tiny(template=None)).end_ids == {EOS}


def test_smollm2_ends_at_the_end_of_turn_and_of_text(instruct: Path) -> None:
    tokenizer = get_tokenizer(instruct)
    assert {tokenizer.name_of(token) for token in tokenizer.end_ids} == {"<|im_end|>", "<|endoftext|>"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_the_texts_of_the_prompts_tokens_are_the_prompt(instruct: Path, text: str) -> None:
    tokenizer = get_tokenizer(instruct)
    # The vocabulary lacks some control characters: a text of nothing else has no tokens.
    assume(tokenizer.encode(text))
    prompt = tokenizer.encode_prompt(text)
    assert "".join(prompt.texts) == text
    assert len(prompt.texts) == len(prompt.ids)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.integers(0, 49151), max_size=20))
def test_any_tokens_joined_are_their_text(instruct: Path, ids: list[int]) -> None:
    tokenizer = get_tokenizer(instruct)
    assert "".join(tokenizer.token_strings(ids)) == tokenizer.decode(ids, skip_special=True)


def test_a_character_comes_with_its_last_token(tiny: Tiny) -> None:
    tokenizer = load(tiny())
    assert tokenizer.token_strings(tokenizer.encode("aé🤷b", add_special=False)) == [
        *("a", "", "é", "", "", "", "🤷", "b"),
    ]


def test_bytes_that_never_become_a_character_are_shown_at_the_end(tiny: Tiny) -> None:
    tokenizer = load(tiny())
    ids = tokenizer.encode("a🤷", add_special=False)[:-1]
    assert tokenizer.token_strings(ids) == ["a", "", "", "\ufffd"]


def test_the_first_token_of_an_answer_keeps_its_space(tmp_path: Path) -> None:
    """A SentencePiece-like tokenizer drops the space in front of what it decodes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<unk>": 0, "▁is": 1, "▁Dodoma": 2}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    tokenizer = CheckpointTokenizer(tmp_path, PreTrainedTokenizerFast(tokenizer_object=backend), None)
    assert tokenizer.decode([2]) == "Dodoma"
    assert TextStream(tokenizer, [1]).push(2) == " Dodoma"
    assert TextStream(tokenizer, [1]).peek(2) == " Dodoma"


def test_the_context_is_the_models_not_the_tokenizers(tiny: Tiny) -> None:
    """Training scripts write their training length (512) into tokenizer_config.json."""
    folder = tiny(context=256)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": 64}))
    assert load(folder).context_length == 256


@pytest.mark.parametrize("architecture", ["bloom", "gpt2"])
def test_the_context_of_models_that_name_it_otherwise(tiny: Tiny, architecture: str) -> None:
    assert load(tiny(architecture=architecture)).context_length == {"gpt2": 256, "bloom": None}[architecture]


def test_half_a_character_in_the_prompt(tiny: Tiny) -> None:
    with pytest.raises(SuiteError, match="half a character"):
        load(tiny()).encode_prompt("a\ud800b")


def test_an_empty_prompt_is_the_bos_alone_or_an_error(tiny: Tiny) -> None:
    assert load(tiny("with")).encode_prompt("").ids == (BOS,)
    with pytest.raises(SuiteError, match="empty"):
        load(tiny("without", bos=False)).encode_prompt("")


def test_a_damaged_tokenizer_file(tiny: Tiny) -> None:
    folder = tiny()
    (folder / "tokenizer.json").write_text('{"version": ')
    with pytest.raises(SuiteError, match="cannot be loaded"):
        load(folder)


def test_one_tokenizer_a_process_for_the_same_content(tiny: Tiny, tmp_path: Path) -> None:
    import shutil

    folder = tiny()
    shutil.copytree(folder, tmp_path / "copy")
    assert get_tokenizer(folder) is get_tokenizer(tmp_path / "copy")
    assert get_tokenizer(folder) is not get_tokenizer(tiny("other", seed=3))


def test_marks_of_a_thought_show_though_they_are_special_tokens(tiny: Tiny) -> None:
    from transformers import AutoTokenizer

    folder = tiny()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|turn|>", "<|end|>", "<think>", "</think>"]})
    tokenizer.save_pretrained(folder)
    marked = CheckpointTokenizer.load(Checkpoint.open(folder))
    ids = marked.encode("<think>a</think>b<|end|>", add_special=False)
    assert len(ids) == 5
    assert marked.token_strings(ids) == ["<think>", "a", "</think>", "b", ""]
    assert sorted(marked.thought_marks.values()) == ["</think>", "<think>"]
