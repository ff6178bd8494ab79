"""The sign-flip permutation test of paired differences.

>>> sign_flip([1.0, 1.0, 1.0, 1.0]).p_value
0.125
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Up to so many different sizes, drawing how many of each stay positive is faster than drawing every sign.
_FEW = 16
_BLOCK = 2_000_000  # signs drawn at a time: 16 MB
_ROUNDING = 1e-9  # sums closer than this, relative to the sum of sizes, are equal


@dataclass(frozen=True)
class SignFlip:
    """The two-sided p value, and the test in words with the number of sign patterns it looked at."""

    p_value: float
    name: str


def sign_flip(differences: npt.ArrayLike, *, draws: int = 10_000, rng: int | np.random.Generator = 0) -> SignFlip:
    """The studentised sign-flip permutation test of mean zero, two-sided.

    Under the hypothesis each difference d is as likely as -d. The statistic is |mean| / standard error; with
    signs flipped the sum of squares is the same, so it grows with |sum| alone and |sum| is what is compared.
    All sign patterns are looked at where that is no more than `draws`; else `draws` are drawn and the observed
    one is counted with them (Phipson and Smyth 2010, "Permutation p-values should never be zero"). Zeros have
    no sign and leave the p value as it is. Janssen (1997), "Studentized permutation tests for non-i.i.d.
    hypotheses", Statistics and Probability Letters 36. Raises ValueError without differences.
    """
    d = np.asarray(differences, dtype=np.float64)
    if len(d) == 0:
        raise ValueError("a sign-flip test needs at least one difference")
    sizes = np.abs(d[d != 0])
    least = abs(float(d.sum())) - _ROUNDING * float(sizes.sum())
    patterns = 2 ** len(sizes)
    if patterns <= draws:
        extreme = int((np.abs(_all_sums(sizes)) >= least).sum())
        return SignFlip(extreme / patterns, f"studentised sign-flip permutation, two-sided, exact: {patterns} patterns")
    extreme = int((np.abs(_drawn_sums(sizes, draws, np.random.default_rng(rng))) >= least).sum())
    return SignFlip((1 + extreme) / (1 + draws), f"studentised sign-flip permutation, two-sided, {draws} draws")


def _all_sums(sizes: FloatArray) -> FloatArray:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums


def _drawn_sums(sizes: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
    distinct, counts = np.unique(sizes, return_counts=True)
    if len(distinct) <= _FEW:
        positive = rng.binomial(counts, 0.5, size=(draws, len(distinct)))
        few: FloatArray = (2 * positive - counts) @ distinct
        return few
    sums = np.empty(draws)
    rows = max(1, _BLOCK // len(sizes))
    for start in range(0, draws, rows):
        size = min(rows, draws - start)
        bits = np.unpackbits(rng.integers(0, 256, (size, -(-len(sizes) // 8)), dtype=np.uint8), axis=1)
        sums[start : start + size] = 2 * (bits[:, : len(sizes)] @ sizes) - sizes.sum()
    return sums
