"""What one program may use."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """CPU seconds of one run (all function checks together, each stdio check alone), bytes of memory, bytes of output.

    Wall time ends only programs that sleep: ``WALL_FACTOR`` times ``timeout``, not counting time spent waiting for a
    processor.
    """

    timeout: float = 3.0
    memory: int = 1 << 30
    output: int = 1 << 20


WALL_FACTOR = 4
