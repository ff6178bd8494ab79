"""The statistics of preference: verdicts, units, win rates and shares with their intervals.

Pure functions on arrays: the same input and seed give the same result, which holds its n and its failures.
"""

from alpaca_eval_suite.stats.agreement import Agreement, JudgeAgreement, agreement
from alpaca_eval_suite.stats.betting import betting
from alpaca_eval_suite.stats.bootstrap import bca, percentile
from alpaca_eval_suite.stats.calibrate import Calibrated, calibrate
from alpaca_eval_suite.stats.compare import Difference, PairOfModels, compare, compare_all, holm, mcnemar_mid_p
from alpaca_eval_suite.stats.difficulty import estimate_difficulty
from alpaca_eval_suite.stats.guards import Guard, guards
from alpaca_eval_suite.stats.intervals import clopper_pearson, t_interval, wilson
from alpaca_eval_suite.stats.length_control import LengthControl, length_control, peer_length_control
from alpaca_eval_suite.stats.length_data import Auxiliary, LengthData, read_auxiliary, read_difficulty
from alpaca_eval_suite.stats.matches import Match
from alpaca_eval_suite.stats.position import (
    Information,
    first_shown_rate,
    has_information,
    order_consistency,
)
from alpaca_eval_suite.stats.power import (
    Spread,
    detectable_difference,
    instructions_for_difference,
    instructions_for_half_width,
    spread,
    spread_paired,
    spread_unpaired,
)
from alpaca_eval_suite.stats.ppi import PpiMean, ppi_mean
from alpaca_eval_suite.stats.proportion import mean_rate, rate
from alpaca_eval_suite.stats.rank import Ranking, Rating, rank
from alpaca_eval_suite.stats.rank_sets import RankSets, rank_sets, ranks
from alpaca_eval_suite.stats.ratings import Ratings, ratings_of_verdicts, read_ratings
from alpaca_eval_suite.stats.rogan_gladen import rogan_gladen
from alpaca_eval_suite.stats.sample import Sample, check_labelled, draw_sample, read_sample, record_sample
from alpaca_eval_suite.stats.sequential import Look, Sequential, drawn_order, sequential
from alpaca_eval_suite.stats.sign_flip import SignFlip, sign_flip
from alpaca_eval_suite.stats.tango import tango
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.stats.units import Units, units
from alpaca_eval_suite.stats.verdicts import (
    alpaca_eval_win,
    preference_to_json,
    read_preferences,
    write_preferences,
)
from alpaca_eval_suite.stats.win_rate import WinRate, win_interval, win_rate

__all__ = [
    "Agreement",
    "Auxiliary",
    "Calibrated",
    "Difference",
    "Estimate",
    "Guard",
    "Information",
    "JudgeAgreement",
    "LengthControl",
    "LengthData",
    "Look",
    "Match",
    "PairOfModels",
    "PpiMean",
    "RankSets",
    "Ranking",
    "Rating",
    "Ratings",
    "Sample",
    "Sequential",
    "SignFlip",
    "Spread",
    "Units",
    "WinRate",
    "agreement",
    "alpaca_eval_win",
    "bca",
    "betting",
    "calibrate",
    "check_labelled",
    "clopper_pearson",
    "compare",
    "compare_all",
    "detectable_difference",
    "draw_sample",
    "drawn_order",
    "estimate_difficulty",
    "first_shown_rate",
    "guards",
    "has_information",
    "holm",
    "instructions_for_difference",
    "instructions_for_half_width",
    "length_control",
    "mcnemar_mid_p",
    "mean_rate",
    "order_consistency",
    "peer_length_control",
    "percentile",
    "ppi_mean",
    "preference_to_json",
    "rank",
    "rank_sets",
    "ranks",
    "rate",
    "ratings_of_verdicts",
    "read_auxiliary",
    "read_difficulty",
    "read_preferences",
    "read_ratings",
    "read_sample",
    "record_sample",
    "rogan_gladen",
    "sequential",
    "sign_flip",
    "spread",
    "spread_paired",
    "spread_unpaired",
    "t_interval",
    "tango",
    "units",
    "wilson",
    "win_interval",
    "win_rate",
    "write_preferences",
]
