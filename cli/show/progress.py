"""Progress on standard error: the step that work is at, and bars."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from .printing import say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show the step that long work is at; gives the function to call at each."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: click.echo(f"{step} ...", err=True)
        return
    with console.status("") as status:
        yield lambda step: status.update(f"{step} ...")


@contextmanager
def counted(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; gives the function to call with (done, wanted)."""
    with progress_bar() as progress:
        task = progress.add_task(title, total=None, speed="")
        yield lambda done, wanted: progress.update(task, completed=done, total=wanted)


@contextmanager
def titled() -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar a title; gives the function to call with (title, done, wanted)."""
    with progress_bar() as progress:
        tasks: dict[str, TaskID] = {}

        def on_step(title: str, done: int, wanted: int) -> None:
            if title not in tasks:
                for task in tasks.values():
                    progress.update(task, visible=False)
                tasks[title] = progress.add_task(title, total=wanted, speed="")
                if progress.disable:
                    say(f"{title} ...")
            progress.update(tasks[title], completed=done, total=wanted)

        yield on_step


def progress_bar() -> Progress:
    """Return a progress bar on standard error; its tasks have a field `speed`, "" where there is none."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    title, speed = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[speed]}"))
    columns = (title, BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    # Only a terminal has a bar; a log gets the lines alone. Results that go to a pipe or a file
    # must not pass through the console of standard error.
    return Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
    )
