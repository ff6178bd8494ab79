"""How torch's threads wait for each other."""

import os


def let_threads_sleep() -> None:
    """Make torch's CPU threads sleep at a barrier where nothing else is asked for ($OMP_WAIT_POLICY).

    By default they spin. A step has some 600 barriers, and where another program has one of the cores, each
    costs a turn of the scheduler: two threads on two busy cores made 12 tokens per CPU second at a load of 4,
    and 63, sleeping, at a load of 7. On idle cores sleeping costs a quarter of the speed (86 tokens per second
    instead of 112). To be called before torch is imported for the first time: its OpenMP library reads the
    variable when it is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
