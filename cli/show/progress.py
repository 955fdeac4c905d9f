"""Progress on standard error: which model runs, the current step of long work, and bars."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...engine.modelfile.shipped import DEFAULT_NOTE
from ...engine.system.escape import escaped
from .printing import say

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

    from ...engine.model.depth_model import DepthModel
    from ...engine.terms import OnStep


def say_model(model: DepthModel) -> None:
    """Say which model runs, and on what."""
    runner = model.runner
    say(f"{model.contract.model} {runner.precision} on {runner.name}, {runner.provider}")
    if DEFAULT_NOTE in model.notes:
        say(DEFAULT_NOTE)


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show the current step of long work; yields the function to call at each step."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: say(f"{step} ...")
        return
    with console.status("") as status:
        yield lambda step: status.update(Text(f"{escaped(step)} ..."))


@contextmanager
def counted(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; yields the function to call with (done, wanted)."""
    with progress_bar() as progress:
        task = progress.add_task(title, total=None, speed="")
        yield lambda done, wanted: progress.update(task, completed=done, total=wanted)


@contextmanager
def titled(*, least_steps: int = 1) -> Iterator[OnStep]:
    """Show a progress bar for each title; yields the function to call with (title, done, wanted).

    Args:
        least_steps: Titles with fewer steps are not shown. A title with one step has a bar without a count.
    """
    with progress_bar() as progress:
        tasks: dict[str, TaskID] = {}

        def on_step(title: str, done: int, wanted: int) -> None:
            if wanted < least_steps:
                return
            total = wanted if wanted > 1 else None
            if title not in tasks:
                for task in tasks.values():
                    progress.update(task, visible=False)
                tasks[title] = progress.add_task(title, total=total, speed="")
                if progress.disable:
                    say(f"{title} ...")
            progress.update(tasks[title], completed=done, total=total)

        yield on_step


@contextmanager
def downloads() -> Iterator[OnStep]:
    """Show a progress bar for each file; yields the function to call with (name, bytes held, all bytes or 0)."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from .bar_console import BarConsole

    console = BarConsole(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    redirected = sys.stdout is not None and sys.stdout.isatty()
    with Progress(*columns, console=console, disable=not console.is_terminal, redirect_stdout=redirected) as progress:
        tasks: dict[str, TaskID] = {}

        def on_bytes(name: str, held: int, wanted: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(escaped(name), total=None, completed=held)
                if progress.disable:
                    of_all = f", {wanted / 1e6:,.1f} MB" if wanted else ""
                    say(f"download {name}{of_all}{f' from byte {held}' if held else ''} ...")
            progress.update(tasks[name], completed=held, total=wanted or None)

        yield on_bytes


def progress_bar() -> Progress:
    """Return a progress bar on standard error; its tasks have a field `speed`, "" for none."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    from .bar_console import BarConsole

    class Title(TextColumn):
        """The title of a task, which may hold the name of a file."""

        def render(self, task: Task) -> Text:
            return Text(escaped(task.description))

    class Count(MofNCompleteColumn):
        """Steps done of those wanted; empty until their number is known."""

        def render(self, task: Task) -> Text:
            return Text() if task.total is None else super().render(task)

    console = BarConsole(stderr=True)
    speed = TextColumn("{task.fields[speed]}", markup=False)
    columns = (Title("", markup=False), BarColumn(), Count(), speed, TimeRemainingColumn())
    # Only a terminal shows the bar; a log gets the lines of `say` only. Results that go to a pipe or a file
    # must not pass through the console of standard error.
    return Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
    )
