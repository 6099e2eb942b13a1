"""What became of all that was looked at: kept, or dropped for a reason, by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from regreen.records import Record


class Unfit(Exception):
    """What was looked at makes no problem; the message is the reason, one of few, so that they can be counted."""


@dataclass(slots=True)
class Tally:
    """The ids kept, and those dropped by reason, in the order in which reasons came up."""

    kept: list[str] = field(default_factory=list)
    dropped: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, name: str, reason: str) -> None:
        """Note that something is dropped."""
        self.dropped.setdefault(reason, []).append(name)

    @property
    def seen(self) -> int:
        """How many there were in all."""
        return len(self.kept) + sum(map(len, self.dropped.values()))

    def to_json(self) -> Record:
        """Return the counts, and the names of what was dropped by reason, the commonest first."""
        reasons = sorted(self.dropped, key=lambda reason: -len(self.dropped[reason]))
        dropped = {reason: sorted(self.dropped[reason]) for reason in reasons}
        return {"seen": self.seen, "kept": len(self.kept), "dropped": dropped}
