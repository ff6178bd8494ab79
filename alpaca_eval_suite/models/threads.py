"""How torch's threads wait for each other."""

import os


def let_threads_sleep() -> None:
    """Make torch's CPU threads sleep at a barrier where nothing else is asked for ($OMP_WAIT_POLICY).

    By default they spin. A step has some 600 barriers, and where another program has one of the cores, each
    costs a turn of the scheduler: measured with two threads on two cores beside two busy programs, 12 tokens
    per second and CPU second instead of 55. On idle cores sleeping costs a fifth of the speed. To be called
    before torch is imported for the first time: its OpenMP library reads the variable when it is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
