"""What programs' text says of their correctness, and how scores grow with a model's size: pure functions.

BLEU against correctness: Chen et al. 2021, section 3.3 and figure 8; Austin et al. 2021, section 4.7. Scaling: Austin
et al. 2021, section 4.1. sacrebleu and NumPy load when first needed.

Shapes: ``_M`` has an entry for each model, ``_P`` for each problem.
"""

from __future__ import annotations

import importlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from regreen.errors import InputError
from regreen.metrics import LEVEL, RESAMPLES, Estimate, mean_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_DOCSTRING = re.compile(r'^[ \t]*[rRuU]?("""|\'\'\').*?\1[ \t]*$\n?', re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_QUARTILES = (0.25, 0.5, 0.75)
_TENTHS = 10  # of the range of BLEU, 0 to 100


def without_prose(source: str) -> str:
    """Return a program without docstrings and comments, found by their shape: the program need not parse."""
    code = _COMMENT.sub("", _DOCSTRING.sub("", source))
    return "\n".join(line.rstrip() for line in code.splitlines() if line.strip())


def code_tokens(source: str) -> list[str]:
    """Return a program's words, numbers and single signs, without docstrings, comments and white space."""
    return _TOKEN.findall(without_prose(source))


def bleu_scorer() -> Callable[[str, str], float]:
    """Return a function of a program and a reference: sentence BLEU over :func:`code_tokens`, from 0 to 100.

    BLEU-4 with exponential smoothing and effective order; sacrebleu's own tokenizer is off.

    Raises:
        InputError: sacrebleu is not installed.
    """
    try:
        bleu = importlib.import_module("sacrebleu").BLEU(tokenize="none", effective_order=True)
    except ImportError as error:
        raise InputError("sacrebleu is not installed (pip install 'regreen[analysis]')") from error

    def score(program: str, reference: str) -> float:
        texts = (" ".join(code_tokens(text)) for text in (program, reference))
        return float(bleu.sentence_score(next(texts), [next(texts)]).score)

    return score


def bleu_against_correctness(
    programs: Mapping[str, Sequence[tuple[str, bool]]],
    references: Mapping[str, str],
    *,
    clusters: Mapping[str, Hashable] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Say how well BLEU to the reference solution tells right programs from wrong ones.

    Args:
        programs: for each problem its programs and whether each is right.
        references: for each problem its reference solution; problems without one are left out.
        clusters: a label for each problem; without, each is its own cluster.
        seed: of the intervals.

    Returns:
        Plain JSON: ``right`` and ``wrong`` with the number of programs, the quartiles of their BLEU and the share of
        them in each tenth of its range; ``auc`` and ``overlap``, each a mean over the problems that have both kinds,
        with its interval; ``by_problem``.

    Raises:
        InputError: sacrebleu is not installed.
        ValueError: no problem has both kinds.
    """
    score = bleu_scorer()
    kinds: dict[bool, list[float]] = {True: [], False: []}
    by_problem = {}
    for name in sorted(programs.keys() & references.keys()):
        found = {kind: sorted(score(p, references[name]) for p, ok in programs[name] if ok is kind) for kind in kinds}
        for kind, values in found.items():
            kinds[kind] += values
        if all(found.values()):
            by_problem[name] = {"auc": auc(found[True], found[False]), "overlap": overlap(found[True], found[False])}
    labels = [clusters.get(name, name) for name in by_problem] if clusters else None
    means = {
        name: asdict(mean_interval([p[name] for p in by_problem.values()], clusters=labels, seed=seed))
        for name in ("auc", "overlap")
    }
    return {
        "problems": len(by_problem),
        "right": _distribution(kinds[True]),
        "wrong": _distribution(kinds[False]),
        **means,
        "by_problem": by_problem,
    }


def auc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return the probability that a right program has the higher score than a wrong one, ties counting half.

    Raises ValueError where one of the kinds is missing.
    """
    if not right or not wrong:
        raise ValueError("an AUC needs both right and wrong programs")
    ranked = sorted(wrong)
    wins = sum(bisect_left(ranked, value) + bisect_right(ranked, value) for value in right)
    return wins / 2 / (len(right) * len(wrong))


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Return 1 - the largest distance between two distributions' step functions: 0 for separate, 1 for equal ones."""
    one, two = sorted(first), sorted(second)
    gaps = (bisect_right(one, value) / len(one) - bisect_right(two, value) / len(two) for value in [*one, *two])
    return 1.0 - max(map(abs, gaps))


@dataclass(frozen=True, slots=True)
class ScalingFit:
    """A line through scores over log10(parameters); each number with a 95 % interval from resampled problems.

    ``slope`` is the gain for ten times the parameters, ``intercept`` the line's value at one parameter. ``r_squared``
    is the share of the variance between models that the line explains; 0 where all models score the same.
    """

    slope: Estimate
    intercept: Estimate
    r_squared: Estimate


def scaling_fit(
    parameters_M: Sequence[float],
    scores_MP: Sequence[Sequence[float]],
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> ScalingFit:
    """Fit mean score = intercept + slope x log10(parameters) by least squares.

    Args:
        parameters_M: each model's number of parameters.
        scores_MP: each model's score on each problem, the problems in one order.
        clusters: a label for each problem; problems of one label are resampled together.
        seed: of the intervals.
        resamples: how many fits are drawn; each takes the same problems for all models.

    Raises:
        ValueError: fewer than two sizes, or scores that do not fit.
    """
    import numpy as np

    if len(set(parameters_M)) < 2 or min(parameters_M) <= 0:
        raise ValueError("a fit needs models of at least two sizes, each with more than 0 parameters")
    sizes_M, scores = np.log10(np.asarray(parameters_M, dtype=float)), np.asarray(scores_MP, dtype=float)
    if scores.ndim != 2 or scores.shape[0] != len(sizes_M) or not scores.shape[1]:
        raise ValueError("scores_MP needs a row for each model and a column for each problem")
    drawn = _resampled_means(scores, clusters or range(scores.shape[1]), resamples, seed)
    fitted, resampled = _fit(sizes_M, scores.mean(axis=1)[None, :]), _fit(sizes_M, drawn)
    bounds = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    low, high = bounds.tolist()
    return ScalingFit(*map(Estimate, fitted[:, 0].tolist(), low, high))


def _fit(sizes_M: Floats, means_RM: Floats) -> Floats:
    """Return slope, intercept and R squared of each row of means, as three rows."""
    import numpy as np

    centred_M = sizes_M - sizes_M.mean()
    slope_R = means_RM @ centred_M / (centred_M @ centred_M)
    intercept_R = means_RM.mean(axis=1) - slope_R * sizes_M.mean()
    total_R = ((means_RM - means_RM.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    explained_R = slope_R**2 * (centred_M @ centred_M)
    flat = total_R <= 1e-24  # nothing to explain but rounding
    return np.stack([slope_R, intercept_R, np.where(flat, 0.0, explained_R / np.where(flat, 1.0, total_R))])


def _resampled_means(scores_MP: Floats, labels_P: Sequence[Hashable], resamples: int, seed: int) -> Floats:
    """Return means over resampled clusters of problems, a row for each draw and a column for each model."""
    import numpy as np

    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels_P))}
    member_PC = np.eye(len(numbers))[[numbers[label] for label in labels_P]]
    sums_MC, sizes_C = scores_MP @ member_PC, member_PC.sum(axis=0)
    times_RC = np.random.default_rng(seed).multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), resamples)
    means: Floats = (times_RC @ sums_MC.T) / (times_RC @ sizes_C)[:, None]
    return means


def _distribution(values: Sequence[float]) -> dict[str, Any]:
    import numpy as np

    quartiles = [float(value) for value in np.quantile(values, _QUARTILES)] if values else None
    tenths, _ = np.histogram(values, bins=_TENTHS, range=(0.0, 100.0))
    return {"programs": len(values), "quartiles": quartiles, "tenths": (tenths / max(1, len(values))).tolist()}


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """Spearman's correlation of two columns with a 95 % interval, and the p-value of pairing them at random."""

    value: Estimate
    p: float


def rank_correlation(
    first_P: Sequence[float],
    second_P: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> RankCorrelation | None:
    """Return how far a second number grows with a first one, over problems: Spearman's correlation, equal ones tied.

    The interval resamples clusters of problems and keeps their ranks. The p-value pairs problems at random, without
    regard to clusters; the pairing that was observed is counted among them.

    Args:
        first_P: a number for each problem.
        second_P: another one.
        clusters: a label for each problem; problems of one label are resampled together.
        seed: of interval and test.
        resamples: how many are drawn for each.

    Returns:
        None where one of the columns has only one value.

    Source: Spearman 1904.
    """
    import numpy as np

    rankdata = importlib.import_module("scipy.stats").rankdata  # untyped, and slow to load
    ranks_P, others_P = rankdata(first_P), rankdata(second_P)
    if np.ptp(ranks_P) == 0 or np.ptp(others_P) == 0:
        return None
    columns = np.stack([ranks_P, others_P, ranks_P * others_P, ranks_P**2, others_P**2])
    observed = float(_correlations(columns.mean(axis=1)[None, :])[0])
    drawn = _correlations(_resampled_means(columns, clusters or range(len(ranks_P)), resamples, seed))
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    rng, centred = np.random.default_rng(seed), ranks_P - ranks_P.mean()
    shuffled = np.abs([centred @ rng.permutation(others_P) for _ in range(resamples)])
    hits = int((shuffled >= abs(centred @ others_P) * (1 - 1e-12)).sum())
    return RankCorrelation(Estimate(observed, float(low), float(high)), (hits + 1) / (resamples + 1))


def _correlations(means_R5: Floats) -> Floats:
    """Return correlations from means of x, y, xy, xx and yy, a row for each; NaN where a column does not vary."""
    import numpy as np

    x_R, y_R, xy_R, xx_R, yy_R = means_R5.T
    spread_R = np.sqrt(np.maximum(0.0, xx_R - x_R**2) * np.maximum(0.0, yy_R - y_R**2))
    found: Floats = (xy_R - x_R * y_R) / np.where(spread_R > 1e-9, spread_R, np.nan)
    return found
