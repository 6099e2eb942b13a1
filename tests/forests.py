"""Made-up frozen trees, and a search that is written down as the paper tells it."""

import random
from fractions import Fraction

from hypothesis import strategies as st

from regreen.metrics import Feedback, First, Repair, joint

COSTS = st.integers(0, 9).map(float)


@st.composite
def frozen_trees(draw, most=(3, 2, 2), separate=None):
    """Draw a problem's tree; every failing program has at least one feedback, every feedback one repair."""
    separate = draw(st.booleans()) if separate is None else separate
    n = draw(st.integers(1, most[0]))
    return [draw(_firsts(most, separate)) for _ in range(n)]


@st.composite
def _firsts(draw, most, separate):
    passed = draw(st.booleans())
    feedbacks = [] if passed else draw(st.lists(_feedbacks(most[2], separate), min_size=1, max_size=most[1]))
    return First(passed, (draw(COSTS),), feedbacks)


@st.composite
def _feedbacks(draw, most, separate):
    repairs = st.builds(lambda passed, cost: Repair(passed, (cost,)), st.booleans(), COSTS)
    if not separate:
        return joint(*draw(repairs))
    return Feedback((draw(COSTS),), draw(st.lists(repairs, min_size=1, max_size=most)))


def made_up(problems, n, m, *, seed=0, repaired=0.25):
    """Return trees of n first programs with m joint repairs, of problems that differ in difficulty."""
    draws = random.Random(seed)
    return [_made_up(draws, draws.betavariate(0.5, 0.9), n, m, repaired) for _ in range(problems)]


def _made_up(draws, rate, n, m, repaired):
    tree = []
    for _ in range(n):
        passed = draws.random() < rate
        chance = repaired * (rate + draws.random()) / 2
        below = [joint(draws.random() < chance, (float(draws.randint(20, 300)),)) for _ in range(m * (not passed))]
        tree.append(First(passed, (float(draws.randint(20, 200)),), below))
    return tree


def every_draw(search, *, replacement):
    """Run ``search(draw)`` over every way in which it can draw; return exact pass rate, cost and programs."""
    totals, open_ways = [Fraction(0)] * 3, [()]
    while open_ways:
        draws = Draws(open_ways.pop(), replacement)
        spending = search(draws)
        open_ways += draws.others
        found = (int(spending.passed), spending.cost, spending.programs)
        totals = [total + draws.weight * Fraction(value) for total, value in zip(totals, found, strict=True)]
    return [float(total) for total in totals]


def searching(tree, width, order):
    """Return the search of one tree as a function of how is drawn."""

    def search(draw):
        spending = Spending()
        SEARCHES[order](list(tree), width, draw, spending)
        return spending

    return search


class Draws:
    """Draws by a script; where that ends, the first that there is, and notes the ways not taken."""

    def __init__(self, script, replacement):
        self.script, self.replacement = script, replacement
        self.taken, self.others, self.weight = [], [], Fraction(1)

    def __call__(self, pool):
        at = len(self.taken)
        choice = self.script[at] if at < len(self.script) else 0
        if at >= len(self.script):
            self.others += [(*self.taken, other) for other in range(1, len(pool))]
        self.taken.append(choice)
        self.weight /= len(pool)
        return pool[choice] if self.replacement else pool.pop(choice)


class Spending:
    """Whether anything passed, what was spent, how many programs were made."""

    def __init__(self):
        self.passed, self.cost, self.programs = False, 0.0, 0

    def program(self, drawn):
        self.passed |= drawn.passed
        self.cost += drawn.costs[0]
        self.programs += 1
        return drawn.passed


def batched(pool, width, draw, spending):
    firsts = [draw(pool) for _ in range(width.n_p)]
    for first in firsts:
        spending.program(first)
    if spending.passed:
        return
    for first in firsts:
        feedbacks = list(first.feedbacks)
        for _ in range(width.n_f):
            feedback = draw(feedbacks)
            spending.cost += feedback.costs[0]
            repairs = list(feedback.repairs)
            for _ in range(width.n_r):
                spending.program(draw(repairs))


def breadth_first(pool, width, draw, spending):
    firsts = []
    for _ in range(width.n_p):
        firsts.append(draw(pool))
        if spending.program(firsts[-1]):
            return
    for first in firsts:
        if repaired(first, width, draw, spending):
            return


def depth_first(pool, width, draw, spending):
    for _ in range(width.n_p):
        first = draw(pool)
        if spending.program(first) or repaired(first, width, draw, spending):
            return


def repaired(first, width, draw, spending):
    """Repair a failing program until a repair passes."""
    feedbacks = list(first.feedbacks)
    for _ in range(width.n_f):
        feedback = draw(feedbacks)
        spending.cost += feedback.costs[0]
        repairs = list(feedback.repairs)
        for _ in range(width.n_r):
            if spending.program(draw(repairs)):
                return True
    return False


SEARCHES = {"batched": batched, "bfs": breadth_first, "dfs": depth_first}
