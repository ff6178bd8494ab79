"""The window grows while a server answers, halves when it complains, and is kept by callers on any event loop."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.models.limiter import Limiter, Outcome


class Clock:
    """Time that passes only when somebody sleeps, and a little with each look."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


async def a_round(limiter: Limiter, outcome: Outcome) -> int:
    """As many requests as the window takes, all with one outcome; how many those were."""
    entered = [await limiter.enter() for _ in range(int(limiter.window))]
    for moment in entered:
        limiter.leave(moment, outcome)
    return len(entered)


def test_it_doubles_until_a_complaint_and_then_adds_one_a_round() -> None:
    async def main() -> None:
        limiter = Limiter(1000, clock=Clock())
        assert [await a_round(limiter, "fine") for _ in range(3)] == [32, 64, 128]
        assert await a_round(limiter, "overload") == 256
        assert limiter.window == 128  # once for the whole round
        assert [await a_round(limiter, "fine") for _ in range(3)] == [128, 128, 129]
        assert 130 < limiter.window < 131

    asyncio.run(main())


def test_it_never_passes_the_most() -> None:
    async def main() -> None:
        limiter = Limiter(40, clock=Clock())
        assert [await a_round(limiter, "fine") for _ in range(3)] == [32, 40, 40]
        limiter.allow(3)
        assert await a_round(limiter, "fine") == 3
        assert Limiter(2).window == 2

    asyncio.run(main())


def test_a_window_that_is_not_used_up_does_not_grow() -> None:
    async def main() -> None:
        limiter = Limiter(64, clock=Clock())
        for _ in range(100):
            limiter.leave(await limiter.enter(), "fine")
        assert limiter.window == 32
        assert limiter.answered == 100

    asyncio.run(main())


def test_other_faults_change_nothing() -> None:
    async def main() -> None:
        limiter = Limiter(64, clock=Clock())
        await a_round(limiter, "other")
        assert (limiter.window, limiter.answered) == (32, 0)

    asyncio.run(main())


def test_a_pause_is_for_everybody() -> None:
    async def main() -> None:
        clock = Clock()
        limiter = Limiter(4, clock=clock)
        limiter.pause(7)
        limiter.pause(3)
        await asyncio.gather(*(limiter.enter(clock.sleep) for _ in range(4)))
        assert clock.sleeps[0] == pytest.approx(7, abs=1e-3)
        assert clock.now == pytest.approx(7, abs=1e-3)

    asyncio.run(main())


def test_at_a_window_of_one_each_complaint_waits_longer_until_an_answer() -> None:
    async def main() -> None:
        clock = Clock()
        limiter = Limiter(1, clock=clock)
        for outcome in ("overload", "overload", "overload", "fine", "overload", "other"):
            limiter.leave(await limiter.enter(clock.sleep), outcome)
        assert len(clock.sleeps) == 4
        # Up to a quarter more, by chance.
        assert all(base <= slept <= 1.25 * base for base, slept in zip([0.5, 1, 2, 0.5], clock.sleeps, strict=True))

    asyncio.run(main())


def test_first_come_first_served_and_cancelling_gives_the_place_back() -> None:
    async def main() -> None:
        limiter = Limiter(1)
        order = []

        async def one(name: int) -> None:
            moment = await limiter.enter()
            order.append(name)
            await asyncio.sleep(0)
            limiter.leave(moment, "fine")

        held = await limiter.enter()
        tasks = [asyncio.create_task(one(name)) for name in range(5)]
        await asyncio.sleep(0)
        tasks[0].cancel()  # while it waits
        await asyncio.sleep(0)
        limiter.leave(held, "fine")
        tasks[1].cancel()  # when it has just been let in
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == [2, 3, 4]

        limiter.pause(60)
        paused = asyncio.create_task(limiter.enter())
        await asyncio.sleep(0)
        paused.cancel()
        await asyncio.gather(paused, return_exceptions=True)
        limiter._resume_at = 0  # the pause is over
        assert await asyncio.wait_for(limiter.enter(), 1)

    asyncio.run(main())


def test_callers_on_two_event_loops() -> None:
    limiter = Limiter(1)
    most_open, now_open, done = 0, 0, 0
    lock = threading.Lock()

    async def one() -> None:
        nonlocal most_open, now_open, done
        moment = await limiter.enter()
        with lock:
            now_open += 1
            most_open = max(most_open, now_open)
        await asyncio.sleep(0.0005)
        with lock:
            now_open -= 1
            done += 1
        limiter.leave(moment, "fine")

    async def several() -> None:
        await asyncio.gather(*(one() for _ in range(20)))

    threads = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (most_open, done) == (1, 40)


def test_a_waiter_whose_loop_has_ended_holds_up_nobody() -> None:
    limiter = Limiter(1)
    gone = asyncio.new_event_loop()
    task = gone.create_task(limiter.enter())
    held = gone.create_task(limiter.enter())
    gone.run_until_complete(task)
    gone.run_until_complete(asyncio.sleep(0))
    gone.close()
    assert not held.done()

    async def main() -> None:
        limiter.leave(task.result(), "fine")
        await asyncio.wait_for(limiter.enter(), 1)

    asyncio.run(main())


@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["fine", "overload", "other"])), max_size=30),
)
def test_whatever_happens_the_window_holds(most: int, rounds: list[tuple[int, Outcome]]) -> None:
    async def main() -> None:
        clock = Clock()
        limiter = Limiter(most, clock=clock)
        now_open = 0

        async def one(outcome: Outcome) -> None:
            nonlocal now_open
            moment = await limiter.enter(clock.sleep)
            now_open += 1
            assert now_open <= most
            await asyncio.sleep(0)
            now_open -= 1
            limiter.leave(moment, outcome)
            assert 1 <= limiter.window <= most

        for callers, outcome in rounds:
            await asyncio.gather(*(one(outcome) for _ in range(callers)))

    asyncio.run(main())
