"""What a kind of hostile input is, and what may come of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.random import Generator

Outcome = Literal["right", "refused"]
Made = Any  # what a kind's `describe` hands to its `answer`
T = TypeVar("T")


class WrongAnswer(Exception):
    """An answer that is wrong, without an error or a note."""


class Kind(ABC):
    """A kind of hostile input.

    Args:
        folder: Holds what `prepare` made; trials write below `work`, a folder of one worker.
    """

    name: ClassVar[str]
    share: ClassVar[float]  # of all inputs

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.work = folder, work

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """Write the good files that trials damage."""
        folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def describe(self, random: Generator) -> tuple[str, Made]:
        """Draw an input; return it in words, and what `answer` needs to make it."""

    @abstractmethod
    def answer(self, made: Made) -> Outcome:
        """Give the input to depthrt; raises DepthrtError if it is refused, WrongAnswer for a silent wrong answer."""


def pick(random: Generator, found: Sequence[T]) -> T:
    """Return an element of a sequence."""
    return found[int(random.integers(len(found)))]


def check_close(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], share: float, what: str) -> None:
    """Raise WrongAnswer unless two arrays have one shape and a mean difference below a share of the range."""
    if found.shape != expected.shape:
        raise WrongAnswer(f"{what}: shape {found.shape}, expected {expected.shape}")
    spread = max(float(expected.max()) - float(expected.min()), 1e-9)
    apart = float(np.abs(found.astype(np.float64) - expected).mean()) / spread
    if not apart <= share:
        raise WrongAnswer(f"{what}: {100 * apart:.2f} % of the range off")
