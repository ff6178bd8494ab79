import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.local import LocalModel
from alpaca_eval_suite.models.request import Generation, GenerationRequest, Message

from .conftest import TINY  # noqa: TID252
