"""Choose one program out of many without the scoring checks, and say how well that goes.

    found = rank(Path("runs/evaluate-humaneval-1a2b3c4d"), checks=Path("written.jsonl"))
    found["rankers"]["dual_agreement"]["curve"]

The rankers stand in :mod:`regreen.rank.rankers`, the curve in :mod:`regreen.rank.choice`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from regreen.errors import InputError
from regreen.models import Model
from regreen.rank.back import back_translation
from regreen.rank.choice import best_group_of_k, best_of_k
from regreen.rank.curves import curves
from regreen.rank.pools import Pool, read_pools
from regreen.rank.rankers import GROUPS, RANKERS, Scores
from regreen.rank.running import run_checks
from regreen.rank.written import read_checks, written_asserts
from regreen.records import RANKS, Record, read_records, write_lines
from regreen.run import read_manifest
from regreen.sandbox import Limits, LocalSandbox

__all__ = ["best_group_of_k", "best_of_k", "curves", "rank", "written_asserts"]


def rank(
    run: Path,
    *,
    model: Model | None = None,
    checks: Path | None = None,
    ks: Sequence[int] | None = None,
    seed: int = 0,
    jobs: int | None = None,
    quiet: bool = True,
) -> Record:
    """Score every program of a run by each ranker, write ``ranks.jsonl`` there, and return how well choosing goes.

    Args:
        run: a run directory; its limits and tier hold for what is run here.
        model: for back-translation; it must be able to say how likely a text is.
        checks: a file of checks that a model wrote, for dual agreement (see :mod:`regreen.rank.written`).
        ks: how many programs are drawn; see :func:`regreen.rank.curves.curves`.
        seed: of intervals and draws.
        jobs: processor cores used.
        quiet: show no progress.

    Returns:
        What :func:`regreen.rank.curves.curves` returns, with ``model`` and ``checks``. A ranker that can say nothing
        of any problem is left out: no log-probabilities were recorded, nothing is shown, no checks were written.

    Raises:
        InputError: no run directory, or none with programs; no problem of the run is in ``checks``.
        InfrastructureError: the judge broke down, or the model cannot be reached.

    What an earlier ranking of the same programs knew and this one does not is kept.
    """
    manifest = read_manifest(run)
    pools = read_pools(run)
    if not pools:
        raise InputError(f"{run}: no program with a verdict; finish the run first")
    _add_checks(pools, checks)
    if any(pool.examples or pool.written for pool in pools.values()):
        with _sandbox(manifest, jobs) as sandbox:
            run_checks(pools.values(), sandbox, quiet=quiet)
    scores = {name: {problem: score(pool) for problem, pool in pools.items()} for name, score in RANKERS.items()}
    if model is not None:
        scores["back_translation"] = back_translation(pools, model)
    said = {name: found for name, found in scores.items() if _says(found)}
    write_lines(run / RANKS, _lines(pools, said, _earlier(run, pools)))
    about = {"model": model and model.name, "checks": checks and str(checks)}
    return {**curves(run, ks=ks, seed=seed), **about}


def _add_checks(pools: dict[str, Pool], path: Path | None) -> None:
    if path is None:
        return
    written = read_checks(path)
    if not written.keys() & pools.keys():
        raise InputError(f"{path}: no check for any problem of the run; its ids look like {next(iter(pools))}")
    for name, pool in pools.items():
        pool.written = written.get(name, ())


def _sandbox(manifest: Record, jobs: int | None) -> LocalSandbox:
    """Return a sandbox with the limits of the run."""
    given, usual = manifest["settings"], Limits()
    limits = Limits(*(given.get(name, getattr(usual, name)) for name in Limits._fields))
    return LocalSandbox(limits, jobs=jobs, tier=str(given.get("sandbox", "")).partition(":")[2] or "B")


def _says(scores: dict[str, Scores]) -> bool:
    return any(score is not None for found in scores.values() for score in found)


def _lines(
    pools: dict[str, Pool], scores: dict[str, dict[str, Scores]], earlier: dict[tuple[str, int], Record]
) -> Iterator[Record]:
    for problem, pool in pools.items():
        groups = {name: number(pool) for name, number in GROUPS.items() if name in scores}
        for at, candidate in enumerate(pool.candidates):
            known = earlier.get((problem, candidate.index), {"scores": {}, "groups": {}})
            yield {
                "v": 1,
                "problem": problem,
                "index": candidate.index,
                "scores": known["scores"] | {name: found[problem][at] for name, found in scores.items()},
                "groups": known["groups"] | {name: found[at] for name, found in groups.items()},
            }


def _earlier(run: Path, pools: dict[str, Pool]) -> dict[tuple[str, int], Record]:
    """Return what an earlier ranking of these programs said, so that a model's scores outlive a ranking without it."""
    known = {(record["problem"], record["index"]): record for _, record in read_records(run / RANKS)}
    wanted = {(problem, candidate.index) for problem, pool in pools.items() for candidate in pool.candidates}
    return known if known.keys() == wanted else {}
