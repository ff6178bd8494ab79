import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.batching import Batcher, get_model
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.local import Give, LocalModel, Take
from alpaca_eval_suite.models.request import Generation, GenerationRequest

Tiny = Callable[..., Path]


class Echo:
    """Stands for a LocalModel: answers with the prompt, one step a request, and records what ran together."""

    def __init__(self, batch_size: int = 4, delay: float = 0.0) -> None:
        self.batch_size = batch_size
        self.delay = delay
        self.batches: list[list[str]] = []

    def serve(self, take: Take, give: Give) -> None:
        while new := take(self.batch_size, True):
            prompts = [str(request.prompt) for _, request in new]
            self.batches.append(prompts)
            time.sleep(self.delay)
            if "crash" in prompts:
                raise RuntimeError("the network failed")
            for key, request in new:
                if request.prompt == "bad":
                    give(key, SuiteError("this prompt is bad"))
                else:
                    give(key, Generation(str(request.prompt), (), 0.0, "length", None, 1))


@pytest.fixture
def echo() -> Iterator[Callable[..., tuple[Batcher, Echo]]]:
    made: list[Batcher] = []

    def make(**options: Any) -> tuple[Batcher, Echo]:
        model = Echo(**options)
        made.append(Batcher(model))  # type: ignore[arg-type]
        return made[-1], model

    yield make
    for batcher in made:
        batcher.close()


def text_of(batcher: Batcher, prompt: str) -> str:
    try:
        return batcher.submit(GenerationRequest(prompt, 1)).text
    except (SuiteError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"


def test_each_thread_gets_its_own_answer(echo: Callable[..., tuple[Batcher, Echo]]) -> None:
    batcher, model = echo(batch_size=8)
    prompts = [str(number) for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda prompt: text_of(batcher, prompt), prompts)) == prompts
    assert max(map(len, model.batches)) <= 8
    assert sorted(prompt for batch in model.batches for prompt in batch) == sorted(prompts)


def test_requests_of_many_threads_run_together(echo: Callable[..., tuple[Batcher, Echo]]) -> None:
    batcher, model = echo(batch_size=4, delay=0.05)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: text_of(batcher, str(number)), range(32)))
    assert len(model.batches) <= 10  # 8 full ones, and the first may start with fewer


def test_a_single_request_does_not_wait_for_a_full_batch(echo: Callable[..., tuple[Batcher, Echo]]) -> None:
    batcher, _ = echo(batch_size=16)
    start = time.perf_counter()
    assert text_of(batcher, "alone") == "alone"
    assert time.perf_counter() - start < 1


def test_an_error_reaches_only_its_own_caller(echo: Callable[..., tuple[Batcher, Echo]]) -> None:
    batcher, _ = echo(batch_size=4, delay=0.02)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda prompt: text_of(batcher, prompt), ["a", "bad", "b", "c"]))
    assert found == ["a", "SuiteError: this prompt is bad", "b", "c"]


def test_a_failed_batch_fails_its_callers_and_the_next_one_runs(
    echo: Callable[..., tuple[Batcher, Echo]],
) -> None:
    batcher, model = echo(batch_size=2, delay=0.02)
    prompts = ["crash", *"abcdef"]
    with ThreadPoolExecutor(7) as pool:
        found = dict(zip(prompts, pool.map(lambda prompt: text_of(batcher, prompt), prompts), strict=True))
    crashed = next(batch for batch in model.batches if "crash" in batch)
    for prompt, text in found.items():
        assert text == ("RuntimeError: the network failed" if prompt in crashed else prompt)


def test_closing_fails_what_waits_and_what_comes_after(echo: Callable[..., tuple[Batcher, Echo]]) -> None:
    batcher, _ = echo(batch_size=1, delay=0.3)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(text_of, batcher, str(number)) for number in range(3)]
        time.sleep(0.15)
        batcher.close()
        found = sorted(answer.result(timeout=5) for answer in answers)
    assert sum("was stopped" in text for text in found) == 2
    with pytest.raises(SuiteError, match="was stopped"):
        batcher.submit(GenerationRequest("late", 1))
    batcher.close()  # twice does no harm


def test_threads_get_what_the_model_says_alone(tiny: Tiny) -> None:
    model = LocalModel.load(Checkpoint.open(tiny()), device="cpu", batch_size=4)
    requests = [GenerationRequest(f"Number {n} " * (1 + n % 5), 3 + 7 * (n % 6)) for n in range(40)]
    expected = [model.generate([request])[0] for request in requests]
    batcher = Batcher(model)
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(batcher.submit, requests))
    batcher.close()
    assert [answer.text for answer in found] == [answer.text for answer in expected]
    assert [answer.logprob for answer in found] == pytest.approx([a.logprob for a in expected], abs=1e-3)


def test_an_interrupted_process_ends_at_once_with_its_own_exit_code(tiny: Tiny) -> None:
    """Ctrl-C in the middle of a long answer: no abort from a thread inside torch, and no waiting for it."""
    program = (
        "import sys\n"
        "from alpaca_eval_suite.models.batching import get_model\n"
        "from alpaca_eval_suite.models.request import GenerationRequest\n"
        f"batcher = get_model({str(tiny(context=100_000))!r}, device='cpu')\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    while True: batcher.submit(GenerationRequest('x' * 200, 90_000, temperature=1.0))\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()


def test_one_model_a_process_for_the_same_content(tiny: Tiny, tmp_path: Path) -> None:
    folder = tiny()
    shutil.copytree(folder, tmp_path / "copy")
    barrier = threading.Barrier(4)

    def load(path: Path) -> Batcher:
        barrier.wait()
        return get_model(path, device="cpu")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(load, [folder, tmp_path / "copy"] * 2))
    assert all(batcher is found[0] for batcher in found)
    assert get_model(folder, device="cpu", dtype="bfloat16") is not found[0]
    assert get_model(folder, device="cpu", batch_size=2).model.batch_size == 16


def test_folders_of_the_same_name_never_share_a_model(tiny: Tiny) -> None:
    first = get_model(tiny("a/model", seed=1), device="cpu")
    second = get_model(tiny("b/model", seed=2), device="cpu")
    request = GenerationRequest("Hello", 12)
    assert first is not second
    assert first.submit(request).text != second.submit(request).text


def test_a_retrained_folder_is_loaded_anew(tiny: Tiny) -> None:
    folder = tiny("model", seed=1)
    before = get_model(folder, device="cpu")
    tiny("model", seed=2)
    after = get_model(folder, device="cpu")
    assert before is not after
    request = GenerationRequest("Hello", 12)
    assert before.submit(request).text != after.submit(request).text


def test_threads_sleep_unless_the_user_says_otherwise(tiny: Tiny) -> None:
    """The variable counts only if it is there before torch is."""
    program = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'torch':\n"
        "            print(os.environ.get('OMP_WAIT_POLICY'), flush=True)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from alpaca_eval_suite.models.batching import get_model\n"
        f"get_model({str(tiny())!r}, device='cpu')\n"
    )
    for given, expected in (({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
        environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | given
        result = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert result.stdout.splitlines()[0] == expected


def test_a_folder_that_does_not_load_fails_every_time_in_the_same_way(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(SuiteError, match="does not exist"):
            get_model(tmp_path / "none")
