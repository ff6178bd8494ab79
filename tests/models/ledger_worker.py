"""A process that works through a ledger, for tests that kill it.

    python ledger_worker.py FOLDER SERVER KEYS CAP PACE

SERVER is a file: each request that leaves appends "PID KEY" to it, as a server would count it and charge for it.
An answer takes up to twice PACE seconds.
"""

import os
import random
import sys
import time
from pathlib import Path

from alpaca_eval_suite.models.ledger import BudgetExhausted, Claim, Ledger

WORST, TRUE = 0.01, 0.004


def main(folder: str, server: str, count: str, cap: str, pace: str) -> None:
    keys = [f"key-{number:05d}" for number in range(int(count))]
    limit = float(cap) or None
    log = os.open(server, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    chance = random.Random(os.getpid())
    with Ledger.open(Path(folder), {"judge": "test"}) as ledger:
        while todo := [key for key in keys if key not in ledger.values]:
            got = ledger.claim([Claim(key, WORST) for key in todo], limit, limit=8)
            if ledger.exhausted:
                print("exhausted")
                return
            if not got:
                time.sleep(0.005)
            for key in got:
                ledger.sent(key)
                os.write(log, f"{os.getpid()} {key}\n".encode())
                if chance.random() < 0.02:
                    try:
                        ledger.doubt(key)
                    except BudgetExhausted:
                        continue
                    os.write(log, f"{os.getpid()} {key} again\n".encode())
                time.sleep(chance.random() * 2 * float(pace))
                ledger.record(key, {"by": os.getpid()}, TRUE)
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
