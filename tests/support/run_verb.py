"""Runs a verb of the command line in this process."""

from __future__ import annotations

from click.testing import CliRunner, Result

from depthrt.cli import main


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    """Return how `depthrt` ended; what is no exit is raised, with its traceback."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin, prog_name="depthrt")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
