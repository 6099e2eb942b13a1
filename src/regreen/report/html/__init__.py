"""A report as one page: tables, figures, every program beside its failing check, every tree; no server, no network.

The page holds its data compressed, in two parts: what is seen at once, and the programs, which are unpacked when one is
opened. What a program says is text everywhere: nothing of it is ever read as HTML, and the page's own policy lets no
other script run than the one it came with.
"""

from regreen.report.html.page import page

__all__ = ["page"]
