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

    By the beta-binomial identity (NIST DLMF 8.17.4-5) that is the sum of C(n + 1, i) over i up to k, over
    (n + 1) C(n, k), so it is exact.
    """
    n = this_way + other_way
    below, term = 0, 1
    for i in range(this_way + 1):  # C(n + 1, i)
        below += term
        term = term * (n + 1 - i) // (i + 1)
    return _ratio(below, (n + 1) * math.comb(n, this_way))


def evidence(signs: Iterable[int]) -> Evidence:
    """From the sign of each article's difference: -1 where the challenger found less, +1 more, 0 as much.

    The sum of an e-value follows from the one before by Pascal's rule, so an article costs a few operations on numbers
    of n bits. They stay whole numbers: in floating point the error doubles with each article that goes the other way.
    """
    less = more = 0
    below, term = 1, 1  # the sum of C(n + 1, i) over i up to `less`, and C(n + 1, less)
    highest = 1.0
    for sign in signs:
        if sign < 0:
            less += 1
            term = term * (more + 1) // less
            below = 2 * below + term
            term = term * (less + more + 1) // (more + 1)
            highest = max(highest, _of(below, term, more))  # with the others it only falls
        elif sign > 0:
            more += 1
            below = 2 * below - term
            term = term * (less + more + 1) // (more + 1)
    return Evidence(less, more, _of(below, term, more), highest)


def _of(below: int, term: int, more: int) -> float:
    """(n + 1) C(n, k) is (n - k + 1) C(n + 1, k)."""
    return _ratio(below, (more + 1) * term)


def _ratio(above: int, below: int) -> float:
    try:
        return above / below  # whole numbers of any size, rounded once
    except OverflowError:
        return math.inf
