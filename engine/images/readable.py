"""Which of several images can be read: the others are left out, counted and named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from ..terms import OnStep
from .limits import DEFAULT_LIMITS, Limits
from .read import read_image

_NAMED = 5  # files that are named with their reasons; the rest is counted


def find_readable(
    images: Sequence[Path],
    *,
    limits: Limits = DEFAULT_LIMITS,
    on_step: OnStep = lambda title, done, wanted: None,
) -> tuple[list[Path], list[str]]:
    """Read all images; return those that can be read, and sentences that count and name the others.

    Args:
        images: Files.
        limits: Largest image.
        on_step: Called with a title, the images read and the images wanted.

    Raises:
        InputError: No image can be read.
    """
    readable: list[Path] = []
    left_out: dict[str, str] = {}
    for number, path in enumerate(images):
        on_step("reading images", number, len(images))
        try:
            read_image(path, limits=limits)
        except InputError as error:  # one damaged file must not stop the run
            left_out[str(path)] = str(error)
        else:
            readable.append(path)
    if images and not readable:
        first = next(name_left_out(left_out, of=len(images)))
        raise InputError(f"none of {len(images)} images can be read; {first.rstrip('.')}")
    return readable, list(name_left_out(left_out, of=len(images)))


def name_left_out(reasons: Mapping[str, str], *, of: int) -> Iterator[str]:
    """Yield sentences that name what was left out with the reasons, and count it if not all is named.

    Args:
        reasons: By name; a reason may begin with the name.
        of: How many there were in all.
    """
    for name, reason in [*reasons.items()][:_NAMED]:
        yield f"{name} is left out: {reason.rstrip('.')}."
    if len(reasons) > 1:
        yield f"{len(reasons)} of {of} images are left out."
