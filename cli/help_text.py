"""The sentences of `--help` where Python has removed the docstrings that hold them (`python -OO`)."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import click


def restore_help(command: click.Command) -> None:
    """Give a command and the commands below it the docstrings that stand in their source files.

    A command whose source cannot be read stays without its sentences.
    """
    if command.help is None and command.callback is not None:
        command.help = _docstring(inspect.unwrap(command.callback).__code__.co_filename, command.callback.__name__)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        restore_help(below)


def _docstring(file: str, name: str) -> str | None:
    """Return the docstring of a function of a source file."""
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return ast.get_docstring(found[0]) if found else None
