r"""What a baseline reaches at a given budget: its curve of pass rate over cost, read where a tree lies.

Source: Olausson et al. 2023 (arXiv 2306.09896v5), section 4.1: the pass rate of a tree divided by the baseline's,
"interpolated linearly" at the same cost.

The budget is one for all problems, so the curve is that of the means: lambda between two neighbouring points x0 and x1
is a coin by which every problem makes x1 or x0 draws. Then problem P has the pass rate p_P = (1 - lambda) pass_P(x0)
+ lambda pass_P(x1), and the cost c_P likewise; the mean of c_P is the tree's mean cost t.

Differences from the paper: each problem's value is kept, so that the comparison is paired. On one problem the tree may
spend more than c_P and on another less. A problem's value is therefore moved along the curve's slope s by what it
differs: p_P + s (t_P - c_P). The mean stays what it was, and an interval over problems sees that t was estimated too
(the delta method).
"""

from __future__ import annotations

import numpy as np

from regreen.metrics.forest import Floats

_EPSILON = 1e-9


def at_budget(passed: Floats, costs: Floats, spent: Floats) -> Floats | None:
    """Return each problem's pass rate (P,) of a baseline at what is spent on average.

    Args:
        passed: each problem's pass rate at each point of the curve (P, x).
        costs: each problem's cost there (P, x); their means do not fall.
        spent: each problem's cost of what is compared (P,).

    Returns:
        None beyond the curve's ends, and where a cost is not known.
    """
    curve, t = costs.mean(axis=0), float(spent.mean())
    slack = _EPSILON * max(1.0, abs(t))
    if not np.isfinite(curve).all() or not curve[0] - slack <= t <= curve[-1] + slack:
        return None
    x0 = min(max(int(np.searchsorted(curve, t + slack, side="right")) - 1, 0), len(curve) - 1)
    x1 = min(x0 + 1, len(curve) - 1)
    step = float(curve[x1] - curve[x0])
    share = (t - float(curve[x0])) / step if step > slack else 0.0
    slope = float(passed[:, x1].mean() - passed[:, x0].mean()) / step if step > slack else 0.0
    value = (1 - share) * passed[:, x0] + share * passed[:, x1]
    there = (1 - share) * costs[:, x0] + share * costs[:, x1]
    return np.asarray(value + slope * (spent - there))
