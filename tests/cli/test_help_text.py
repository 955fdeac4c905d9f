"""The sentences of a command are found in its source."""

from __future__ import annotations

import inspect

import click
import pytest

from depthrt.cli import main
from depthrt.cli.help_text import restore_help


def commands(command: click.Command) -> list[click.Command]:
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(found for one in below for found in commands(one))]


def test_every_command_gets_back_what_its_docstring_says(monkeypatch: pytest.MonkeyPatch) -> None:
    every = commands(main)
    before = [inspect.cleandoc(command.help or "") for command in every]
    assert len(every) > 10 and all(before)
    for command in every:
        monkeypatch.setattr(command, "help", None)
    restore_help(main)
    assert [command.help for command in every] == before


@pytest.mark.parametrize("command", commands(main), ids=lambda command: command.name)
def test_every_default_stands_in_the_help(command: click.Command) -> None:
    for option in command.params:
        # The others have no default, or a default that makes no difference to say.
        if isinstance(option, click.Option) and not option.is_flag and isinstance(option.default, (str, int, float)):
            says_so = "default" in (option.help or "").lower()
            assert option.show_default or says_so, f"{command.name} {option.opts[0]}, {option.default!r}"


def test_a_command_without_a_source_stays_without_sentences() -> None:
    namespace: dict[str, object] = {}
    exec(compile("def verb(): ...", "nowhere.py", "exec"), namespace)
    command = click.Command("verb", callback=namespace["verb"])  # type: ignore[arg-type]
    restore_help(command)
    assert command.help is None
