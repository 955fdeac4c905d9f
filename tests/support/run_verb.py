"""Runs a verb of the command line in this process."""

from __future__ import annotations

import shlex

import click
from click.testing import CliRunner, Result

from depthrt.cli import main


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    """Return how `depthrt` ended; what is no exit is raised, with its traceback."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin, prog_name="depthrt")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def parse(command: str) -> None:
    """Raise click.UsageError if a command line is none of depthrt's; run nothing."""
    _, verb, *arguments = shlex.split(command)
    whole = click.Context(main, info_name="depthrt", **main.context_settings)  # click keeps its help option from here
    found = main.get_command(whole, verb)
    assert found is not None, f"no verb {verb}"
    found.make_context(verb, arguments, parent=whole)
