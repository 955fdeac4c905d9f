"""Reads a Dockerfile and the list of what its build gets, as far as ours use their languages."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction of a Dockerfile.

    Args:
        stage: Number of its stage.
        name: RUN, ENV, ...
        text: What follows the name, on one line.
    """

    stage: int
    name: str
    text: str


def read_instructions(path: Path = DOCKERFILE) -> list[Instruction]:
    """Return the instructions of a Dockerfile."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    found: list[Instruction] = []
    stage = -1
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, text = line.strip().partition(" ")
        stage += name == "FROM"
        found += [Instruction(stage, name, text.strip())] if name else []
    return found


def texts(name: str, stage: int) -> list[str]:
    """Return the instructions of a name in a stage; the last stage is 1."""
    return [one.text for one in read_instructions() if (one.name, one.stage) == (name, stage)]


def variables(stage: int) -> dict[str, str]:
    """Return the variables that a stage sets."""
    pairs = [pair.partition("=") for text in texts("ENV", stage) for pair in text.split()]
    return {name: value for name, _, value in pairs}


def command(name: str) -> list[str]:
    """Return the words of the last stage's ENTRYPOINT, CMD or HEALTHCHECK."""
    (text,) = texts(name, 1)
    words: list[str] = json.loads(text[text.index("[") :])
    return words


def copy_context(to: Path) -> None:
    """Copy what the build gets."""
    first, *patterns = [line for line in Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines() if line[0] != "#"]
    assert first == "*" and patterns.pop() == "**/__pycache__", "the list allows names, and nothing else"
    to.mkdir()
    for pattern in patterns:
        name = re.fullmatch(r"!([\w.]+)", pattern)
        assert name is not None, pattern
        source = ROOT / name[1]
        if source.is_dir():
            shutil.copytree(source, to / name[1], ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to)
