"""The sentences of a command are found in its source."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import click
import pytest

from depthrt.cli import main
from depthrt.cli.help_text import restore_help

TINY = 1e-9  # the other numbers are of 1 or more if they are whole, else above 0
LEAST: dict[str, float] = {
    "augment --preview": 0,  # none
    "augment --seed": 0,
    "train --clean-share": 0,
    "train --seed": 0,
    "train --variation": 0,
    "train --warmup-steps": 0,  # the full rate at once
    "run --max-aspect": 1,  # of the longer to the shorter side
    "serve --port": 0,  # a free one
    "serve --queue": 0,  # none waits
    "serve --drain": 0,
    "serve --max-aspect": 1,
    "tune --rounds": 2,  # fewer have no interval
    "measure --rate": 0,  # 0 leaves it out
    "measure --cold": 0,
    "measure --builds": 0,
    "scenes --seed": 0,
    "evaluate --seed": 0,
    "export --seed": 0,
    "bridge --domain": 0,
}


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


def numbers() -> Iterator[Any]:
    for command in commands(main):
        for option in command.params:
            name, kind = f"{command.name} {option.opts[-1]}", option.type
            if isinstance(kind, click.IntRange):
                yield pytest.param(kind, LEAST.get(name, 1), LEAST.get(name, 1) - 1, id=name)
            elif isinstance(kind, click.FloatRange):
                least = LEAST.get(name, TINY)
                yield pytest.param(kind, least, least - TINY, id=name)


@pytest.mark.parametrize(("kind", "least", "too_small"), [*numbers()])
def test_an_option_takes_numbers_from_the_least_that_means_something(
    kind: click.ParamType[Any], least: float, too_small: float
) -> None:
    assert kind.convert(str(least), None, None) == least
    with pytest.raises(click.BadParameter):
        kind.convert(str(too_small), None, None)


def test_a_command_without_a_source_stays_without_sentences() -> None:
    namespace: dict[str, object] = {}
    exec(compile("def verb(): ...", "nowhere.py", "exec"), namespace)
    command = click.Command("verb", callback=namespace["verb"])  # type: ignore[arg-type]
    restore_help(command)
    assert command.help is None
