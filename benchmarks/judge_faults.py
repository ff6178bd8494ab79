"""A judge run that everything happens to: a server with faults, kill -9 again and again, four processes at once.

Run it from the checkout (some minutes):

    python benchmarks/judge_faults.py [--pairs 805] [--kills 20] [--seed 0] [--json]

The server (tests/mock_judge.py) refuses 10 % of the requests with 429 and 5 % with 500, resets 2 % and sends 2 % of
its answers with half of their JSON. It counts whole answers by prompt, and what every answer that it made would cost,
arrived or not. Three runs, each with a server and a folder of its own:

- killed: with --max-cost, ended by kill -9 at random moments and started again, until it ends by itself;
- together: four processes at once with one --out, and a fifth that is killed among them;
- poor: with a cap of half of what is needed, which must hold; then again with enough.

An answer that was sent a second time is excused where the first was sent just before a kill, at most as many at each
kill as there may be requests open. The verdict cache is off, so that the ledger alone is tried. Prints a table; the
exit code is 1 where a check fails.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from judging import N_PAIRS, Server, judge_line, mock_judge, prepare_judge

from alpaca_eval_suite.models.ledger_reading import ABOUT, LedgerReading

FAULTS = {"rate_limited": 0.1, "server_error": 0.05, "reset": 0.02, "truncate": 0.02}
PRICE = {"input": 2.5, "output": 10.0}
CONCURRENCY = 16
DELAY_S = 0.1
_GRACE_S = 0.2
"""An answer that left the server so long before a kill, or after it, may not have been written down."""


@dataclass(frozen=True)
class Line:
    """One row of the report: of which run, what was looked at, what was seen, whether that is as it must be."""

    run: str
    what: str
    seen: str
    fine: bool = True


@dataclass(frozen=True)
class Kill:
    """When a process was killed, and when it was gone."""

    began: float
    ended: float


@dataclass(frozen=True)
class Place:
    """A folder with the files of a run, its server, and how the command is called."""

    folder: Path
    server: Server
    environment: Mapping[str, str]
    n_pairs: int

    @property
    def out(self) -> Path:
        return self.folder / "preferences.jsonl"

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """The command as a process of its own; its words are added to words.txt."""
        with open(self.folder / "words.txt", "ab") as words:
            return subprocess.Popen(
                judge_line(self.folder, "--no-cache", *options),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )

    def last_words(self) -> str:
        """The end of what the command said."""
        return (self.folder / "words.txt").read_text(encoding="utf-8", errors="replace")[-1500:]

    def charge(self) -> float:
        """USD that the server asks for all the answers it made."""
        counts = self.server.get("/counts")
        return (counts["prompt_tokens"] * PRICE["input"] + counts["completion_tokens"] * PRICE["output"]) / 1e6


@contextmanager
def new_place(n_pairs: int, seed: int) -> Iterator[Place]:
    """A server with faults and a fresh folder, until the block ends."""
    with tempfile.TemporaryDirectory() as name, mock_judge(**FAULTS, delay=DELAY_S, seed=seed) as server:
        folder = Path(name)
        environment = prepare_judge(folder, server, n_pairs, concurrency=CONCURRENCY, price=PRICE)
        yield Place(folder, server, environment, n_pairs)


def expected_wins(folder: Path) -> list[float]:
    """The mock's verdict on each pair: the output with more "e" is better."""
    model, baseline = (json.loads((folder / f"{name}.json").read_text()) for name in ("model", "baseline"))
    pairs = zip(model, baseline, strict=True)
    counts = [(first["output"].count("e"), second["output"].count("e")) for first, second in pairs]
    return [0.5 if first == second else float(first > second) for first, second in counts]


def check_verdicts(run: str, place: Place) -> Line:
    """Whether every pair has its verdict in both orders, and the right one."""
    rows = [json.loads(line) for line in place.out.read_bytes().splitlines()] if place.out.exists() else []
    seen = Counter((row["id"], row["order"]) for row in rows)
    failed = sum(row["win"] is None for row in rows)
    wins = sum(row["win"] or 0 for row in rows)
    wanted = 2 * sum(expected_wins(place.folder))
    whole = len(rows) == len(seen) == 2 * place.n_pairs
    text = f"{len(rows)} of {2 * place.n_pairs}, {failed} failed, wins {wins:g} of {wanted:g}"
    return Line(run, "verdicts", text, whole and not failed and wins == wanted)


def check_repeats(run: str, place: Place, kills: Sequence[Kill]) -> list[Line]:
    """Whether no whole answer was sent a second time but for those in flight at a kill."""
    delivered: dict[str, list[float]] = place.server.get("/counts")["delivered"]
    earlier = [moment for moments in delivered.values() for moment in sorted(moments)[:-1]]
    at_kills: Counter[Kill] = Counter()
    longest, rest = 0.0, 0
    for moment in earlier:
        after = next((one for one in kills if one.ended > moment - _GRACE_S), Kill(float("inf"), float("inf")))
        at_kills[after] += 1
        longest = max(longest, after.began - moment)
        rest += after.began - moment > _GRACE_S
    most = max(at_kills.values(), default=0)
    text = f"{len(earlier)} of {len(delivered)}; {rest} not in flight at a kill"
    if earlier:
        text += f" (the first of them at most {longest * 1000:.0f} ms before it)"
    return [
        Line(run, "answers sent a second time", text, not rest),
        Line(run, "most of them at one kill", f"{most} (concurrency {CONCURRENCY})", most <= CONCURRENCY),
    ]


def check_money(run: str, place: Place, cap: float) -> Line:
    """Whether the server's charge is within the ledger's spend, and that within the cap."""
    charge, spent = place.charge(), spent_by(place)
    text = f"server {charge:.4f} <= ledger {spent:.4f} <= cap {cap:.4f} USD"
    return Line(run, "money", text, charge <= spent + 1e-9 and spent <= cap)


def spent_by(place: Place) -> float:
    """USD that the ledger says were spent."""
    return sum(LedgerReading(about.parent).spent for about in place.folder.rglob(ABOUT))


def needed(place: Place) -> float:
    """About what all the verdicts cost where nothing goes wrong, USD."""
    rows = [row for name in ("model", "baseline") for row in json.loads((place.folder / f"{name}.json").read_text())]
    # Both orders; a question of ours is some 1,500 characters around the texts, and a verdict some 60 tokens.
    characters = 2 * sum(len(row["output"]) + len(row["instruction"]) / 2 + 750 for row in rows)
    return (characters / 4 * PRICE["input"] + 2 * place.n_pairs * 60 * PRICE["output"]) / 1e6


def wait_for_moment(process: subprocess.Popen[bytes], place: Place, early: bool, after: float) -> None:
    """Until `after` seconds from the start (`early`), or from the first request that this process makes."""
    before = place.server.get("/progress")
    while not early and process.poll() is None and place.server.get("/progress") == before:
        time.sleep(0.01)
    end = time.monotonic() + after
    while process.poll() is None and time.monotonic() < end:
        time.sleep(min(0.01, max(0.0, end - time.monotonic())))


def kill(process: subprocess.Popen[bytes]) -> Kill:
    """End the process by kill -9."""
    began = time.monotonic()
    process.kill()
    process.wait()
    return Kill(began, time.monotonic())


def run_killed(n_pairs: int, kills: int, seed: int) -> list[Line]:
    """The run that is killed; every fifth kill comes early, often before the first request."""
    rng = random.Random(seed)
    moments: list[Kill] = []
    with new_place(n_pairs, seed) as place:
        # About two thirds of the work are done when the last kill comes.
        longest = 1.7 * 2 * n_pairs * DELAY_S / CONCURRENCY / max(kills, 1)
        # What is lost at a kill counts at its worst, about five times of what it costs.
        cap = needed(place) * (2 + 5 * kills * CONCURRENCY / (2 * n_pairs))
        start = time.monotonic()
        while True:
            process = place.start("--max-cost", str(cap))
            early = len(moments) % 5 == 0
            if len(moments) < kills:
                wait_for_moment(process, place, early, rng.uniform(0, 1.0 if early else longest))
                if process.poll() is None:
                    moments.append(kill(process))
                    continue
            code = process.wait()
            break
        seconds = time.monotonic() - start
        outcomes = place.server.get("/counts")["outcomes"]
        return [
            Line("killed", "requests", ", ".join(f"{name} {n}" for name, n in sorted(outcomes.items()))),
            Line("killed", "kills, seconds", f"{len(moments)} of {kills}, {seconds:.0f} s", len(moments) == kills),
            _exit("killed", place, code, 0),
            check_verdicts("killed", place),
            *check_repeats("killed", place, moments),
            check_money("killed", place, cap),
        ]


def run_together(n_pairs: int, processes: int, seed: int) -> list[Line]:
    """Several processes with one --out, from the same moment on; one more is killed among them."""
    with new_place(n_pairs, seed) as place:
        cap = 2 * needed(place)
        start = time.monotonic()
        victim = place.start("--max-cost", str(cap))
        running = [place.start("--max-cost", str(cap)) for _ in range(processes)]
        while victim.poll() is None and place.server.get("/progress") < 0.5 * n_pairs:
            time.sleep(0.05)
        killed = kill(victim)
        written = set()
        codes = []
        for process in running:
            codes.append(process.wait())
            written.add(place.out.read_bytes() if place.out.exists() else b"")
        seconds = time.monotonic() - start
        return [
            Line("together", "seconds", f"{seconds:.0f} s, {processes} processes and one killed"),
            _exit("together", place, max(codes), 0),
            Line("together", "files that differ", str(len(written) - 1), len(written) == 1),
            check_verdicts("together", place),
            *check_repeats("together", place, [killed]),
            check_money("together", place, cap),
        ]


def run_poor(n_pairs: int, seed: int) -> list[Line]:
    """A cap that is too low, then one that is not."""
    with new_place(n_pairs, seed) as place:
        low, enough = 0.5 * needed(place), 3 * needed(place)
        code = place.start("--max-cost", str(low)).wait()
        used = spent_by(place) / low
        first = [
            _exit("poor", place, code, 3),
            check_money("poor", place, low),
            # One question's worst cost may be left over, and what lost answers might have cost counts as spent.
            Line("poor", "share of the cap used", f"{used:.0%}", used > 0.75),
        ]
        code = place.start("--max-cost", str(enough)).wait()
        return [
            *first,
            _exit("then with enough", place, code, 0),
            check_verdicts("then with enough", place),
            *check_repeats("then with enough", place, ()),
            check_money("then with enough", place, enough),
        ]


def _exit(run: str, place: Place, code: int, wanted: int) -> Line:
    return Line(run, "exit code", str(code) if code == wanted else f"{code}: {place.last_words()}", code == wanted)


def main() -> None:
    """Run all, print the table; exit with 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=N_PAIRS)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="One JSON object a row.")
    options = parser.parse_args()
    lines = [
        *run_killed(options.pairs, options.kills, options.seed),
        *run_together(options.pairs, options.processes, options.seed),
        *run_poor(options.pairs, options.seed),
    ]
    for line in lines:
        if options.json:
            print(json.dumps(asdict(line)))
        else:
            print(f"{'ok ' if line.fine else 'BAD'} {line.run:18} {line.what:28} {line.seen}")
    sys.exit(0 if all(line.fine for line in lines) else 1)


if __name__ == "__main__":
    main()
