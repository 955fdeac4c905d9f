"""Files in, depth files out: reading, running and writing overlapped, going on past bad images."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .colour import Colormap
from .depth import Depth, Format
from .depth_files import format_of_suffix
from .errors import InputError
from .image import read_image
from .model import Answer, DepthModel, Prepared
from .overlap import Outcome, overlap
from .sheet import Sheet
from .sources import STDIN, Source

ENDING: dict[Format, str] = {
    "color": ".png",
    "side": "_side.png",
    "png16": "_depth16.png",
    "npy": ".npy",
    "npz": ".npz",
    "pfm": ".pfm",
    "exr": ".exr",
    "tiff": ".tiff",
}


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how depth is written.

    Args:
        folder: Outputs go here, under the names of their inputs.
        formats: One file each.
        colormap, value_range: As in Depth.colorize.
        file: Takes the place of folder and formats for a single image; its suffix is the format.
    """

    folder: Path
    formats: tuple[Format, ...] = ("color",)
    colormap: Colormap | None = None
    value_range: tuple[float, float] | None = None
    file: Path | None = None

    def paths(self, target: Path) -> dict[Path, Format | None]:
        """Return the files for a source's target, each with its format."""
        if self.file is not None:
            return {self.file: None}
        return {self.folder / target.with_name(target.name + ENDING[format]): format for format in self.formats}

    def is_there(self, source: Source) -> bool:
        """Whether everything that an image would give is there already."""
        return source.kind == "image" and all(path.exists() for path in self.paths(source.target))


@dataclass(frozen=True, slots=True)
class Written:
    """One image's depth and the files that now hold it."""

    paths: tuple[Path, ...]
    depth: Depth


def run_images(
    model: DepthModel, sources: Sequence[Source], output: Output, *, sheet: Sheet | None = None
) -> Iterator[Outcome[Source, Written]]:
    """Yield what became of each image, in order; a bad one yields its error and the rest goes on.

    Images that were written are on the sheet when their outcome comes.
    """

    def read(source: Source) -> tuple[Source, NDArray[np.uint8], Prepared]:
        origin = sys.stdin.buffer if source.name == STDIN else source.name
        image = read_image(origin, limits=model.limits)
        return source, image, model.prepare(image)

    def run(item: tuple[Source, NDArray[np.uint8], Prepared]) -> tuple[Source, NDArray[np.uint8], Answer]:
        source, image, prepared = item
        return source, image, model.run(prepared)

    def write(item: tuple[Source, NDArray[np.uint8], Answer]) -> Written:
        source, image, answer = item
        written = save_all(model.finish(answer), image, output.paths(source.target), output)
        if sheet is not None:
            sheet.add(image, written.depth)
        return written

    return overlap(sources, read=read, run=run, write=write)


def save_all(depth: Depth, image: NDArray[np.uint8], paths: dict[Path, Format | None], output: Output) -> Written:
    """Write one depth in each format asked for, making the folders."""
    for path, format in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        depth.save(path, format=format, image=image, colormap=output.colormap, value_range=output.value_range)
    return Written(tuple(paths), depth)


def choose_output(
    sources: Sequence[Source],
    path: Path,
    *,
    formats: Sequence[Format],
    colormap: Colormap | None = None,
    value_range: tuple[float, float] | None = None,
) -> Output:
    """Return where to write: into the folder `path`, or to the file `path` where it names one of a single image.

    Raises:
        InputError: `path` names a file and there are several sources, or the range is empty.
    """
    if value_range is not None and not value_range[0] < value_range[1]:
        raise InputError(f"range {value_range[0]:g} {value_range[1]:g} found, expected the lower value first")
    if not path.suffix or path.is_dir():
        return Output(path, tuple(dict.fromkeys(formats)), colormap, value_range)
    if len(sources) != 1 or sources[0].kind != "image":
        raise InputError(
            f"{path} names a file, but there are several images or a video; give a folder, without a suffix"
        )
    format_of_suffix(path)
    return Output(path.parent, (), colormap, value_range, file=path)
