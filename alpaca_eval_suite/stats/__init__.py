"""The statistics of preference: verdicts, units, win rates and shares with their intervals.

Pure functions on arrays: the same input and seed give the same result, which holds its n and its failures.
"""

from alpaca_eval_suite.stats.betting import betting
from alpaca_eval_suite.stats.bootstrap import bca, percentile
from alpaca_eval_suite.stats.intervals import clopper_pearson, t_interval, wilson
from alpaca_eval_suite.stats.position import (
    Information,
    first_shown_rate,
    has_information,
    order_consistency,
)
from alpaca_eval_suite.stats.proportion import mean_rate, rate
from alpaca_eval_suite.stats.tango import tango
from alpaca_eval_suite.stats.units import Units, units
from alpaca_eval_suite.stats.verdicts import (
    alpaca_eval_win,
    preference_to_json,
    read_preferences,
    write_preferences,
)
from alpaca_eval_suite.stats.win_rate import WinRate, win_interval, win_rate

__all__ = [
    "Information",
    "Units",
    "WinRate",
    "alpaca_eval_win",
    "bca",
    "betting",
    "clopper_pearson",
    "first_shown_rate",
    "has_information",
    "mean_rate",
    "order_consistency",
    "percentile",
    "preference_to_json",
    "rate",
    "read_preferences",
    "t_interval",
    "tango",
    "units",
    "wilson",
    "win_interval",
    "win_rate",
    "write_preferences",
]
