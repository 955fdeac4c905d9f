"""Files in, depth files out: reading, running and writing overlapped, going on past bad images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..depth.depth import Depth
from ..images.read import read_image
from ..model.depth_model import Answer, DepthModel, Prepared
from ..system.files import make_folder
from ..system.overlap import Outcome, overlap
from ..terms import Format
from .output import Output
from .sheet import Sheet
from .sources import Source


@dataclass(frozen=True, slots=True)
class Written:
    """One image's depth and the files that now hold it; outside is how many of its pixels a png16 among them lacks."""

    paths: tuple[Path, ...]
    depth: Depth
    outside: int = 0


def run_images(
    model: DepthModel, sources: Sequence[Source], output: Output, *, sheet: Sheet | None = None
) -> Iterator[Outcome[Source, Written]]:
    """Yield what became of each image, in order; a bad one yields its error and the rest goes on.

    Images that were written are on the sheet when their outcome comes.
    """

    def read(source: Source) -> tuple[Source, NDArray[np.uint8], Prepared]:
        image = read_image(source.name, limits=model.limits)
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


def save_all(depth: Depth, image: NDArray[np.uint8], paths: dict[Path, Format], output: Output) -> Written:
    """Write one depth in each format asked for, making the folders."""
    for path, format in paths.items():
        make_folder(path.parent)
        depth.save(path, format=format, image=image, colormap=output.colormap, value_range=output.value_range)
    outside = depth.outside_png16(output.value_range) if "png16" in paths.values() else 0
    return Written(tuple(paths), depth, outside)
