"""The judge without root's rights."""

from tests.sandbox.again import OUTERMOST, run_again

pytestmark = OUTERMOST


def test_the_judge_holds_for_an_ordinary_user_at_tier_a() -> None:
    """The same tests pass, at the same tier."""
    assert " passed" in run_again("ordinary_user.py", "A")
