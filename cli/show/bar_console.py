"""A rich console that prints text above a progress bar on lines as long as the text: a broken path cannot be copied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.text import Text


class BarConsole(Console):
    """Leaves it to the terminal to break the lines of text; the bar stays within the terminal."""

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401 (as Console.print)
        """Print as Console.print."""
        if any(isinstance(one, Text) for one in objects):
            options["crop"] = False
        super().print(*(_Unbroken(one) if isinstance(one, Text) else one for one in objects), **options)


class _Unbroken:
    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        return self._text.render(console, end="\n")
