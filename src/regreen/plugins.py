"""What other packages add to this one, found by their entry points.

# in the other package's pyproject.toml
[project.entry-points."regreen.benchmarks"]
riddles = "my_package:RIDDLES"        # a regreen.benchmarks.Generated
[project.entry-points."regreen.models"]
parrot = "my_package:Parrot"          # what -m parrot:PLACE calls with PLACE; it returns a regreen.models.Model
[project.entry-points."regreen.sandboxes"]
island = "my_package:Island"          # called with PLACE, limits and jobs, it opens --sandbox island:PLACE
[project.entry-points."regreen.rewards"]
brevity = "my_package:Brevity"        # called with nothing, it returns a regreen.train.rewards.Reward
"""

from __future__ import annotations

from typing import Any, Literal

from regreen.errors import InputError

Kind = Literal["benchmarks", "models", "rewards", "sandboxes"]


def named(kind: Kind) -> list[str]:
    """Return the names that other packages give to things of a kind."""
    return sorted({point.name for point in _points(kind)})


def plugin(kind: Kind, name: str) -> Any | None:
    """Return what another package named so, or None; raises InputError where it cannot be loaded."""
    for point in _points(kind):
        if point.name == name:
            try:
                return point.load()
            except Exception as error:  # whatever another package's code may raise
                why = f"{type(error).__name__}: {error}"
                raise InputError(f"{name}: the package that adds it ({point.value}) cannot be loaded: {why}") from error
    return None


def _points(kind: Kind) -> Any:
    from importlib import metadata  # 20 ms, which whoever names what is built in does not pay

    return metadata.entry_points(group=f"regreen.{kind}")
