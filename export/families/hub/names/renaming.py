"""Tensors under the names of one program become tensors under the names of another, by a table of patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .....engine.errors import ModelFileError
from ....checkpoint.torch_file.stored import check_held

MOST_JOINED = 1 << 20  # values of a joined matrix for which the file holds no number

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class Joined:
    """A tensor that stands in parts in a file.

    Args:
        pattern: Matches the name of a part; its group `part` begins with the part's letter.
        target: The name of the whole, with groups as in re.Match.expand.
        letters: Of the parts, in the order of the whole's rows.
    """

    pattern: re.Pattern[str]
    target: str
    letters: str


@dataclass(frozen=True, slots=True)
class NameMap:
    """How names become others. Names that no pattern matches stay as they are.

    Args:
        joined: Tensors that stand in parts.
        renames: Patterns at the begin of a name, and what they become; the first that matches counts.
    """

    joined: tuple[Joined, ...]
    renames: tuple[tuple[re.Pattern[str], Replacement], ...]


def make_name_map(joined: Mapping[str, tuple[str, str]], renames: Mapping[str, Replacement]) -> NameMap:
    """Compile a map of names.

    Args:
        joined: Pattern of a part to the name of the whole and the letters of its parts.
        renames: Pattern to what it becomes.
    """
    return NameMap(
        joined=tuple(Joined(re.compile(pattern), *whole) for pattern, whole in joined.items()),
        renames=tuple((re.compile(pattern), name) for pattern, name in renames.items()),
    )


def rename_tensors(tensors: Mapping[str, Tensor], names: NameMap) -> dict[str, Tensor]:
    """Rename tensors, and join those that stand in parts.

    Raises:
        ModelFileError: A part is missing, or two tensors get the same name.
    """
    renamed: dict[str, Tensor] = {}
    parts: dict[tuple[str, str], dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        whole = _whole_of(name, names)
        if whole is not None:
            target, letters, letter = whole
            parts.setdefault((target, letters), {})[letter] = tensor
            continue
        official = _rename(name, names)
        if official in renamed:
            raise ModelFileError(
                f"{official} is there twice, under names of two releases of transformers; save it again"
            )
        renamed[official] = tensor
    for (target, letters), pieces in parts.items():
        renamed[target] = _join(target, letters, pieces)
    return renamed


def _whole_of(name: str, names: NameMap) -> tuple[str, str, str] | None:
    """Return (name of the whole, letters of its parts, letter of this part), or None for a tensor that is no part."""
    for joined in names.joined:
        match = joined.pattern.fullmatch(name)
        if match:
            return match.expand(joined.target), joined.letters, match["part"][0]
    return None


def _join(target: str, letters: str, pieces: Mapping[str, Tensor]) -> Tensor:
    missing = [letter for letter in letters if letter not in pieces]
    if missing:
        raise ModelFileError(f"{target} needs the parts {', '.join(letters)}, {', '.join(missing)} is missing")
    parts = [pieces[letter] for letter in letters]
    try:
        check_held(parts, MOST_JOINED)
    except ModelFileError as error:
        raise ModelFileError(f"{target} {error}") from error
    return torch.cat(parts)


def _rename(name: str, names: NameMap) -> str:
    for pattern, becomes in names.renames:
        renamed, count = pattern.subn(becomes, name, count=1)
        if count:
            return renamed
    return name
