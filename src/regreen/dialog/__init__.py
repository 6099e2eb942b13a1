"""Dialog: a model writes a program, somebody hints at what is wrong, the model writes it again."""

from regreen.dialog.curve import turn_curve
from regreen.dialog.hinters import FileHinter, Hinter, ModelHinter, Talking
from regreen.dialog.talk import Talk, dialog

__all__ = ["FileHinter", "Hinter", "ModelHinter", "Talk", "Talking", "dialog", "turn_curve"]
