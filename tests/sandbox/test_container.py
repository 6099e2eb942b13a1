"""The judge inside a container."""

from tests.sandbox.again import OUTERMOST, run_again

pytestmark = OUTERMOST


def test_the_judge_holds_inside_a_container_at_tier_b() -> None:
    """Namespaces are refused: Landlock and the filter confine instead, and the same tests pass."""
    assert " passed" in run_again("container.py", "B")
