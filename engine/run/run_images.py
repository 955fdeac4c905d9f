"""Image files in, depth files out: reading, inference and writing overlap; a bad image does not end the run."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from ..depth.depth import Depth
from ..depth.write import SUFFIXES
from ..errors import InputError
from ..images.read import STDIN, read_image
from ..model.depth_model import Answer, DepthModel, Prepared
from ..model.focal_length import ANY_LENS, Lens
from ..system.files import make_folder
from ..system.process.overlap import Outcome, overlap
from ..terms import Format
from .jobs import STDOUT, Job, Style
from .sheet import Sheet


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of an image, of a frame, or of a whole video.

    Args:
        files: The files; of a frame that is only part of a depth video, none.
        depth: The depth; None for a whole video.
        outside: Number of pixels that a png16 among the files does not hold.
        time_s: When its source shows the frame; None for an image and a whole video.
    """

    files: tuple[Path, ...]
    depth: Depth | None = None
    outside: int = 0
    time_s: float | None = None


def run_images(
    model: DepthModel, jobs: Sequence[Job], *, style: Style, lens: Lens = ANY_LENS, sheet: Sheet | None = None
) -> Generator[Outcome[Job, Written], None, None]:
    """Yield the outcome of each image, in order; the error of a bad image is its outcome.

    Args:
        jobs: Of images.
        style: How depth is painted.
        lens: That took the images.
        sheet: Takes up each image that was written, before its outcome is yielded.
    """

    def read(job: Job) -> tuple[Job, NDArray[np.uint8], Prepared]:
        job.check_names()
        image = read_image(job.source.name, limits=model.limits)
        return job, image, model.prepare(image, camera=lens.camera_of((image.shape[0], image.shape[1])))

    def run(item: tuple[Job, NDArray[np.uint8], Prepared]) -> tuple[Job, NDArray[np.uint8], Answer]:
        job, image, prepared = item
        return job, image, model.run(prepared)

    def write(item: tuple[Job, NDArray[np.uint8], Answer]) -> Written:
        job, image, answer = item
        depth = model.finish(answer)
        written = save_all(depth, image, job.files, style)
        if sheet is not None:
            sheet.add(image, depth, "standard input" if job.source.name == STDIN else Path(job.source.name).name)
        return written

    return overlap(jobs, read=read, run=run, write=write)


def save_all(
    depth: Depth, image: NDArray[np.uint8], files: Mapping[Path, Format], style: Style, *, time_s: float | None = None
) -> Written:
    """Write one depth to each file in its format; missing folders are made.

    Args:
        time_s: When its source shows a frame, for the record.
    """
    for path, format in files.items():
        if path == STDOUT:
            _save_to_stdout(depth, image, format, style)
            continue
        make_folder(path.parent)
        depth.save(path, format=format, image=image, colormap=style.colormap, value_range=style.value_range)
    outside = depth.outside_png16(style.value_range) if "png16" in files.values() else 0
    return Written(tuple(files), depth, outside, time_s)


def _save_to_stdout(depth: Depth, image: NDArray[np.uint8], format: Format, style: Style) -> None:
    """Write one depth to standard output, whole or not at all."""
    with TemporaryDirectory(prefix="depthrt-") as folder:
        path = Path(folder) / f"depth{SUFFIXES[format][0]}"
        depth.save(path, format=format, image=image, colormap=style.colormap, value_range=style.value_range)
        content = path.read_bytes()
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise InputError(
            f"standard output cannot be written: {error.strerror or error}; check what reads it"
        ) from error
