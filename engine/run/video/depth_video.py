"""Depth videos: the depth of each frame, painted, at the frame's time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...depth.write import side_by_side
from ...errors import InputError
from ...system.files import atomic_path, make_folder
from ...terms import Colormap, Format
from .mp4_writer import Mp4Writer, UnwritableVideo
from .steady_range import Painted


class DepthVideo:
    """A depth video that is being written; a context manager. The file has a temporary name until it is whole.

    A video needs even sides. Pictures of odd sides get their last row or column twice, so that every pixel keeps its
    place and none is lost.

    Args:
        path: The file to be; its folder is made.
        format: "color" or "side".
        colormap: As in Depth.colorize.
        fps: Frames per second, about.
        ticks: Parts of a second in which the frames' times are written.
    """

    def __init__(self, path: Path, format: Format, *, colormap: Colormap | None, fps: float, ticks: int) -> None:
        self._path, self._format, self._colormap, self._fps, self._ticks = path, format, colormap, fps, ticks
        self._writer: Mp4Writer | None = None  # made for the first frame, which has the size
        self._size_px = (0, 0)  # (h, w)
        self._last_length_s: float | None = None
        self._stack = ExitStack()

    def __enter__(self) -> DepthVideo:
        make_folder(self._path.parent)
        self._temporary = self._stack.enter_context(atomic_path(self._path))
        self._stack.push(self._finish)
        return self

    def __exit__(self, *error: object) -> bool | None:
        return self._stack.__exit__(*error)  # type: ignore[arg-type]

    def add(self, painted: Painted) -> None:
        """Append the picture of a frame's depth.

        Raises:
            UnwritableVideo: The frame has another size than those before, or the encoder or the disk refuses.
        """
        picture = painted.depth.colorize(colormap=self._colormap, value_range=painted.value_range)
        if self._format == "side":
            picture = side_by_side(painted.frame.image, picture)
        picture = _even(picture)
        size_px = (picture.shape[0], picture.shape[1])
        if self._writer is None:
            self._size_px = size_px
            self._writer = Mp4Writer(self._temporary, size_px, fps=self._fps, ticks=self._ticks, name=str(self._path))
        if size_px != self._size_px:
            raise UnwritableVideo(
                f"{self._path}: a frame of {_text(size_px)} px (HxW) found after frames of {_text(self._size_px)}, "
                "which one video cannot hold; use --format npz for single frames"
            )
        self._writer.add(picture, painted.frame.time_s)

    def show_last(self, length_s: float | None) -> None:
        """Show the last picture so long; None shows it as long as pictures are shown on average."""
        self._last_length_s = length_s

    def _finish(self, kind: type[BaseException] | None, *error: object) -> None:
        """Close the file; make it whole unless an error ends it."""
        if self._writer is None:
            if kind is None:
                raise InputError(f"{self._path} is not written: every frame failed")
            return
        with self._writer:
            if kind is None:
                self._writer.finish(self._last_length_s)


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of even sides, its last row and column repeated."""
    rows, columns = picture.shape[0] % 2, picture.shape[1] % 2
    if not rows and not columns:
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, 0, rows, 0, columns, cv2.BORDER_REPLICATE), np.uint8)


def _text(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]}x{size_px[1]}"
