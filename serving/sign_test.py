"""A test of paired differences that may be looked at after every article. Pure.

Of the articles on which two versions differ, some go one way and some the other. Under the null hypothesis "the way is
this one at most half of the time, whatever came before" the e-value below is a supermartingale that starts at 1: the
bets 2p and 2(1 - p), mixed over p uniform on (1/2, 1). So the chance that it ever reaches 1/alpha is at most alpha,
however often somebody looks and whenever they stop (Ville 1939; Robbins 1970; as betting, Waudby-Smith and Ramdas,
"Estimating means of bounded random variables by betting", JRSS B 86(1), 2024).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Evidence:
    """Against "the challenger finds as much as the champion", from its articles in the order they were compared."""

    less: int  # articles on which it found less
    more: int
    e_value: float  # now
    highest: float  # that it has reached, which is what counts

    def rejects(self, alpha: float, tests: int = 1) -> bool:
        """Whether it finds less; of several tests together wrong with a chance of alpha at most (Bonferroni)."""
        return self.highest >= tests / alpha


def e_value(this_way: int, other_way: int) -> float:
    """2^(n+1) times the integral of p^k (1 - p)^(n - k) from 1/2 to 1: k of n went this way.

    By the beta-binomial identity that is a sum of binomial coefficients, so it is exact.
    """
    n = this_way + other_way
    below, term = 0, 1
    for i in range(this_way + 1):  # C(n + 1, i)
        below += term
        term = term * (n + 1 - i) // (i + 1)
    return _as_float(Fraction(below, (n + 1) * math.comb(n, this_way)))


def evidence(signs: Iterable[int]) -> Evidence:
    """From the sign of each article's difference: -1 where the challenger found less, +1 more, 0 as much."""
    less = more = 0
    now = highest = 1.0
    for sign in signs:
        if sign:
            less, more = less + (sign < 0), more + (sign > 0)
            now = e_value(less, more)
            highest = max(highest, now)
    return Evidence(less, more, now, highest)


def _as_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
