"""Back-translation: how likely a model finds the statement, given the program (Chen et al. 2021, section 5).

Difference from the paper: any model that continues text serves, not one trained on docstrings. The program is shown
without its docstrings and comments: with them the statement would only have to be copied.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Protocol, cast

from regreen.analysis import without_prose
from regreen.errors import InputError
from regreen.models import Model
from regreen.rank.pools import Pool
from regreen.rank.rankers import Scores

_PROMPT = "{program}\n\n# The text of the problem that this program solves:\n"


class _Reader(Protocol):
    parallel: int

    async def logprob(self, prompt: str, text: str) -> float: ...


def back_translation(pools: Mapping[str, Pool], model: Model) -> dict[str, Scores]:
    """Return for each problem the log-probability of its statement after each of its programs.

    Raises:
        InputError: the model cannot say how likely a text is.
    """
    if not hasattr(model, "logprob"):
        raise InputError(f"{model.name}: cannot give the log-probability of a text; use a model such as hf:PATH")
    return asyncio.run(_ask(pools, cast(_Reader, model)))


async def _ask(pools: Mapping[str, Pool], model: _Reader) -> dict[str, Scores]:
    gate = asyncio.Semaphore(model.parallel)

    async def score(source: str, statement: str) -> float | None:
        if not source:
            return None
        async with gate:
            found = await model.logprob(_PROMPT.format(program=without_prose(source)), statement)
        return found if math.isfinite(found) else None

    async def scores(pool: Pool) -> Scores:
        sources = list(dict.fromkeys(candidate.source for candidate in pool.candidates))
        found = await asyncio.gather(*(score(source, pool.problem["statement"]) for source in sources))
        known = dict(zip(sources, found, strict=True))
        return [known[candidate.source] for candidate in pool.candidates]

    return {name: await scores(pool) for name, pool in pools.items()}
