"""What an online training is watched by: numbers of everything drawn at once, and signs that it has collapsed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from regreen.records import METRICS, Record, read_records
from regreen.train.advantages import mixed_groups
from regreen.train.online.drawing import Drawn, by_problem, passes
from regreen.train.subtypes import category_of, subtype_of
from regreen.train.weighing import Weighed

Numbers = dict[str, float]
_EQUAL, _RISE, _SUNK, _SOLVED, _TURNS = 0.9, 0.3, 0.1, 0.9, 5


def numbers_of(drawn: Sequence[Drawn], weighed: Sequence[Weighed]) -> Numbers:
    """Return what programs that were drawn at once come to.

    Args:
        drawn: the programs; greedy ones are counted apart.
        weighed: what was made of them.

    Returns:
        ``drawn`` programs; shares by ``category/`` and by ``subtype/`` (what part of the program is at fault);
        ``passed``, ``greedy_passed``; ``mixed``, the share of problems of which some programs pass and some do not;
        ``duplicates``, the share of programs that another one for the same problem equals; ``entropy``, the mean
        negative log-probability of a token, in nats, where the sampler tells it; ``length`` in tokens; means of each
        ``reward/`` that is defined and of each ``advantage/``'s absolute value; ``alpha``.
    """
    samples = [each for each in drawn if not each.is_greedy]
    greedy = [each.verdict.passed for each in drawn if each.is_greedy]
    told = [lp for each in samples for lp in each.logprobs or ()]
    found: Numbers = {"drawn": len(samples), "passed": _mean(each.verdict.passed for each in samples)}
    found |= _shares("category", (category_of(each.verdict) for each in samples))
    found |= _shares("subtype", (subtype_of(each.found.source, each.verdict).kind.value for each in samples))
    found |= {"mixed": _mixed(samples), "duplicates": _duplicates(samples)}
    found |= {"length": _mean(len(each.tokens) for each in samples)}
    found |= {"greedy_passed": _mean(greedy)} if greedy else {}
    found |= {"entropy": -fmean(told)} if told else {}
    alphas = [each.alpha for each in weighed if each.alpha is not None]
    found |= {"alpha": fmean(alphas)} if alphas else {}
    return found | _means("reward", [w.values for w in weighed]) | _means("advantage", [w.advantages for w in weighed])


def collapsed(history: Sequence[Mapping[str, float]]) -> str | None:
    """Return the sign, in words, that a policy has collapsed, or None.

    Args:
        history: what :func:`numbers_of` returned, in order.

    Nearly all programs for a problem are equal; more of them do not compile than at first; the entropy has sunk to a
    tenth; or all programs of every problem come to the same, and not because nearly all pass: nothing is left to
    compare. Each must have held for five draws in a row, and not at the beginning.
    """
    if len(history) <= _TURNS:
        return None
    first, last = history[0], history[-_TURNS:]
    if min(each["duplicates"] for each in last) > max(_EQUAL, first["duplicates"]):
        return f"{last[-1]['duplicates']:.0%} of a problem's programs are equal to another"
    if min(each.get("category/syntax", 0.0) for each in last) > first.get("category/syntax", 0.0) + _RISE:
        return f"{last[-1]['category/syntax']:.0%} of the programs do not compile"
    if "entropy" in first and max(each.get("entropy", 1.0) for each in last) < _SUNK * first["entropy"]:
        return f"the entropy has sunk from {first['entropy']:.3f} to {last[-1]['entropy']:.3f}"
    if not any(each["mixed"] for each in last) and first["mixed"] and last[-1]["passed"] < _SOLVED:
        return "all programs of every problem come to the same"
    return None


def draws_of(run: Path) -> list[Record]:
    """Return the lines of a training's metrics at whose steps programs were drawn."""
    return [record for _, record in read_records(run / METRICS) if "drawn" in record]


def notes_on(draws: Sequence[Record]) -> list[str]:
    """Return what a user must hear of a training's draws, a sentence each."""
    signs = (collapsed(draws[: 1 + at]) for at in range(len(draws)))
    sign = next((f"after step {d['step'] - 1} {s}" for d, s in zip(draws, signs, strict=True) if s), None)
    refused = sum(draw["refused"] for draw in draws)
    said = {
        f"the policy seems to have collapsed: {sign}; see metrics.jsonl": sign,
        f"{refused} programs were refused by the model": refused,
        "of all programs that were drawn none passed: the problems may be too hard": not any(
            draw["passed"] for draw in draws
        ),
    }
    return [note for note, so in said.items() if so]


def _mean(values: Iterable[float]) -> float:
    every = list(values)
    return fmean(every) if every else 0.0


def _shares(name: str, kinds: Iterable[str]) -> Numbers:
    counts = Counter(kinds)
    return {f"{name}/{kind}": count / counts.total() for kind, count in sorted(counts.items())}


def _mixed(samples: Sequence[Drawn]) -> float:
    groups = by_problem(samples).values()
    return len(mixed_groups(groups, passes)) / max(1, len(groups))


def _duplicates(samples: Sequence[Drawn]) -> float:
    counts = Counter((each.problem, each.found.source) for each in samples)
    return _mean(counts[each.problem, each.found.source] > 1 for each in samples)


def _means(name: str, rows: Sequence[Mapping[str, float | None]]) -> Numbers:
    """Return the mean of each named value that is not None; of advantages their size."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for key, value in row.items():
            if value is not None:
                values[key].append(abs(value) if name == "advantage" else value)
    return {f"{name}/{key}": fmean(of) for key, of in sorted(values.items())}
