"""A terminal for what the verbs print: a text that says it is one, with a fixed number of columns."""

from __future__ import annotations

import io
import re

import pytest

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOUR = re.compile(r"\x1b\[(\d+;)*[349][0-8][;m]")
COLUMNS = 80


class Terminal(io.StringIO):
    """A text stream that passes for a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """Return what was printed, without colours and movements of the cursor."""
        return _ESCAPES.sub("", self.getvalue())

    def is_coloured(self) -> bool:
        return _COLOUR.search(self.getvalue()) is not None


def make_terminal(patch: pytest.MonkeyPatch, stream: str, *, columns: int = COLUMNS) -> Terminal:
    """Put a terminal in the place of "stdout" or "stderr"."""
    terminal = Terminal()
    patch.setattr(f"sys.{stream}", terminal)
    patch.setenv("COLUMNS", str(columns))
    patch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        patch.delenv(name, raising=False)
    return terminal
