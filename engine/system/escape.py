"""Text from outside in a form that a terminal shows and does not obey: control characters are escaped."""

from __future__ import annotations

import re

# Control characters (C0, DEL, C1), the two separators of lines, and the marks that turn the direction of writing.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def escaped(text: object, *, keep: str = "") -> str:
    r"""Return a text in which control characters stand as escapes, as in `\x1b[31m`.

    Args:
        text: A name, a path, a message; anything with `str`.
        keep: Control characters that stay, e.g. the line breaks of a text that has lines.
    """
    return _CONTROL.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), str(text))


def _escape(letter: str) -> str:
    if letter == "\x7f":
        return "\\u007f"  # valid in JSON too, which does not escape it
    return letter.encode("unicode_escape").decode()
