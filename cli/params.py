"""The types of the verbs' options, options that several verbs have, and old names."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ..bench.run.request import LEAST_ROUNDS, MAX_PIXELS
from ..engine.terms import ALIGNMENTS, CROPS, EXPORTED_KINDS, FAMILIES, NOISES
from .show.printing import say

Verb = TypeVar("Verb", bound=Callable[..., Any])


class PathType(click.Path):
    """A path; an empty one, as of a shell's variable that is not set, is refused, as Path("") is the current folder."""

    name = "path"

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        return Path(named(value, param, ctx))


def named(value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
    """Return a name that the user gives, or refuse an empty one."""
    text = str(value)
    if not text.strip():
        raise click.BadParameter(f"{text!r} found, which names no file; give a path", ctx, param)
    return text


class NameType(click.ParamType[str]):
    """The name of a file, a folder, a data set or a pattern; an empty one is refused."""

    name = "path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        return named(value, param, ctx)


class ModelType(PathType):
    """A path; the name "default" stands for the file of the model that comes with depthrt."""

    name = "file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of the model file."""
        from ..engine.modelfile.shipped import DEFAULT, model_path

        path = model_path(named(value, param, ctx))
        return path.absolute() if str(path) == DEFAULT else path  # "./default" is a path, and must stay one


def find_images(inputs: Sequence[str]) -> list[Path]:
    """Return the images that inputs name; errors as sources.find_images."""
    from ..engine.run.sources import find_images as find

    return find(inputs)


def old_names(**names: str) -> dict[str, Callable[[str], str]]:
    """Return the context settings of a verb whose options still have old names, which its help does not show.

    Args:
        names: The present name by the old one, both without dashes before them: budget="drift-budget".
    """
    return {"token_normalize_func": lambda token: names.get(token, token)}


class SizeType(click.ParamType[int | tuple[int, int]]):
    """`518`, or `518x686` (height x width)."""

    name = "N|HxW"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | tuple[int, int]:
        """Return one number, or (H, W)."""
        parts = str(value).lower().split("x")
        if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) > 2:
            self.fail(f"{value!r} found, expected a number such as 518, or HxW such as 518x686", param, ctx)
        return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


class PixelsType(click.ParamType[tuple[int, int]]):
    """`518x686` (height x width)."""

    name = "HxW"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return (H, W)."""
        parts = str(value).lower().split("x")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
            self.fail(f"{value!r} found, expected HxW (height x width) such as 518x686", param, ctx)
        return int(parts[0]), int(parts[1])


class BatchType(click.ParamType[tuple[int, int, int]]):
    """`4`, or `1,2,4` (smallest, best, largest)."""

    name = "N|MIN,OPT,MAX"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int, int]:
        """Return (min, opt, max)."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if len(parts) not in (1, 3) or not all(part.isascii() and part.strip().isdigit() for part in parts):
            self.fail(f"{value!r} found, expected a number such as 4, or MIN,OPT,MAX such as 1,2,4", param, ctx)
        counts = [int(part) for part in parts]
        return (counts[0], counts[-1] if len(counts) == 1 else counts[1], counts[-1])


class RoundsType(click.ParamType[int | None]):
    """`auto`, which is None, or a number."""

    name = "auto|N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Return the number of rounds, None for auto."""
        text = str(value).lower()
        if text == "auto":
            return None
        if not (text.isascii() and text.isdigit()) or int(text) < LEAST_ROUNDS:
            self.fail(f"{value!r} found, expected auto or a number of {LEAST_ROUNDS} or more", param, ctx)
        return int(text)


_PERCENT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*", re.ASCII)


class ShareType(click.ParamType[float]):
    """`0.5%`: a share of a whole, in [0, 1).

    Args:
        bare: Take `0.5` as 0.5 %, as older versions of the verb did, with a note on standard error. Otherwise a number
            without a unit is refused, 0 aside.
        zero: Whether 0% is a share.
        below: The share that is too large.
    """

    name = "PERCENT"

    def __init__(self, *, bare: bool = False, zero: bool = True, below: float = 1.0) -> None:
        self._bare, self._zero, self._below = bare, zero, below

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share."""
        match = _PERCENT.fullmatch(str(value))
        share = float(match[1]) / 100 if match else math.nan
        if match is None or not share < self._below or not (share or self._zero):
            self.fail(f"{value!r} found, expected a percentage {self._range()}, such as 0.5%", param, ctx)
        if share and not match[2]:
            if not self._bare:
                self.fail(f"{value!r} found, expected a percentage with its sign, such as 0.5%", param, ctx)
            option = f"{param.opts[0]} " if param is not None else ""
            say(f"note: {option}{value} is read as {value}%; write {value}%")
        return share

    def _range(self) -> str:
        least = "from 0%" if self._zero else "above 0%"
        return least if math.isinf(self._below) else f"{least} to below {100 * self._below:g}%"


def together(*options: Callable[[Verb], Verb]) -> Callable[[Verb], Verb]:
    """Return several options as a single decorator; help lists them in this order."""

    def decorate(verb: Verb) -> Verb:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return decorate


model_option = click.option(
    "--model",
    "-m",
    "model_path",
    type=ModelType(),
    default="default",
    show_default=True,
    help="A model file, .onnx or .engine. default: the small model that comes with depthrt; its depth has no unit.",
)
depth_units = click.option(
    "--depth-units",
    "units_per_m",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    default=1000.0,
    show_default=True,
    help="Units a metre of depth files that hold whole numbers and state no unit; 256 in KITTI's own folders.",
)
max_pixels = click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=MAX_PIXELS,
    show_default=True,
    help="Largest picture and largest depth map of a data set.",
)
of_accuracy = together(
    click.option(
        "--align",
        "alignment",
        type=click.Choice(ALIGNMENTS),
        help="Of accuracy. Default: none for metres against metres, else scale-and-shift.",
    ),
    click.option(
        "--cap",
        "cap_m",
        type=click.FloatRange(0, min_open=True),
        metavar="M",
        help="Depth beyond it is not judged. Default: the data set's custom.",
    ),
    click.option(
        "--crop", type=click.Choice(CROPS), default="none", show_default=True, help="Which pixels are judged."
    ),
)
of_checkpoints = together(
    click.option("--family", type=click.Choice(FAMILIES), help="Of checkpoints; as in export."),
    click.option("--kind", type=click.Choice(EXPORTED_KINDS), help="Of checkpoints; as in export."),
    click.option("--max-depth", "max_depth_m", type=float, metavar="M", help="Of checkpoints; as in export."),
    click.option("--size", type=SizeType(), metavar="N|HxW", help="Of checkpoints; as in export."),
)
of_diffusion = together(
    click.option(
        "--steps",
        type=click.IntRange(1),
        metavar="N",
        help="Of Marigold: steps in the graph. More than 4 load slowly. Default: the folder's own, 1 to 10.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, (1 << 32) - 1),
        metavar="N",
        help="Of Marigold: seed of the noise that the steps start with, a constant of the file. Default: 0.",
    ),
    click.option(
        "--noise",
        type=click.Choice(NOISES),
        help="Of Marigold: what the step starts with; zeros is for E2E-FT's models. Default: gaussian.",
    ),
)
