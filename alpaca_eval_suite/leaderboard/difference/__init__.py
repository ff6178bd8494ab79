"""Why two entries of what should be the same run differ: the difference of their rates, split into parts."""

from alpaca_eval_suite.leaderboard.difference.choosing import Choice
from alpaca_eval_suite.leaderboard.difference.explain import Explanation, explain

__all__ = ["Choice", "Explanation", "explain"]
