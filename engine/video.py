"""A video file or a camera in; a depth video, or one depth file a frame, out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .depth import Depth, Format
from .depth_files import side_by_side
from .errors import InputError
from .files import atomic_path
from .model import Answer, DepthModel, Prepared
from .overlap import Outcome, overlap
from .run_files import ENDING, Output, Written, save_all
from .sources import Source

PICTURES: tuple[Format, ...] = ("color", "side")  # become one video; other formats one file a frame
FALLBACK_FPS = 30.0  # for cameras and files that do not say
CODEC = "mp4v"  # MPEG-4 part 2: in every build of OpenCV and read by every player


class FrameReader:
    """The frames of a video file or camera, in order."""

    def __init__(self, source: Source, *, max_frames: int | None = None) -> None:
        self._capture = cv2.VideoCapture(int(source.name) if source.kind == "camera" else source.name)
        if not self._capture.isOpened():
            raise InputError(
                f"{_title(source)} cannot be opened as a video; check that it plays, or its index and rights"
            )
        frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        known = frames if source.kind == "video" and frames > 0 else None
        self.frames = min(known or max_frames, max_frames) if max_frames else known  # None: nobody knows
        self._left = max_frames
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if np.isfinite(fps) and 0 < fps < 1000 else FALLBACK_FPS

    def next(self) -> NDArray[np.uint8] | None:
        """Return the next frame (H, W, 3) uint8 BGR, or None after the last."""
        if self._left == 0:
            return None
        self._left = None if self._left is None else self._left - 1
        more, frame = self._capture.read()
        return np.asarray(frame, np.uint8) if more else None

    def close(self) -> None:
        """Give the file or the camera back."""
        self._capture.release()


class _End(Exception):
    """The video has no further frame."""


def run_video(
    model: DepthModel, source: Source, output: Output, reader: FrameReader
) -> Iterator[Outcome[int, Written]]:
    """Yield what became of each frame; the depth videos are whole when the iterator ends.

    Raises:
        InputError: No frame can be read, or a video cannot be written.
    """

    def read(index: int) -> tuple[int, NDArray[np.uint8], Prepared]:
        frame = reader.next()
        if frame is None:
            raise _End
        return index, frame, model.prepare(frame)

    def run(item: tuple[int, NDArray[np.uint8], Prepared]) -> tuple[int, NDArray[np.uint8], Answer]:
        index, frame, prepared = item
        return index, frame, model.run(prepared)

    with ExitStack() as stack:
        pictures = [format for format in output.formats if format in PICTURES]
        videos = [stack.enter_context(_DepthVideo(source, output, format, reader.fps)) for format in pictures]

        def write(item: tuple[int, NDArray[np.uint8], Answer]) -> Written:
            index, frame, answer = item
            depth = model.finish(answer)
            for video in videos:
                video.add(depth, frame)
            files = output.paths(source.target / f"{index:06d}")
            data: dict[Path, Format | None] = {path: kind for path, kind in files.items() if kind not in PICTURES}
            written = save_all(depth, frame, data, output)
            return Written((*(video.path for video in videos), *written.paths), depth)

        # Closed before the videos are, so that no thread still writes to them.
        for outcome in stack.enter_context(closing(overlap(count(), read=read, run=run, write=write))):
            if isinstance(outcome.error, _End):
                if outcome.item == 0:
                    raise InputError(f"{_title(source)} has no frame that can be decoded; check that it plays")
                return
            yield outcome


class _DepthVideo:
    """A depth video being written: under a temporary name until it is whole."""

    def __init__(self, source: Source, output: Output, format: Format, fps: float) -> None:
        ending = ENDING[format].replace(".png", ".mp4")
        self.path = output.folder / source.target.with_name(source.target.name + ending)
        self._format, self._fps, self._output = format, fps, output
        self._writer: cv2.VideoWriter | None = None
        self._stack = ExitStack()

    def __enter__(self) -> _DepthVideo:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = self._stack.enter_context(atomic_path(self.path))
        self._stack.callback(self._finish)
        return self

    def __exit__(self, *error: object) -> bool | None:
        return self._stack.__exit__(*error)  # type: ignore[arg-type]

    def add(self, depth: Depth, frame: NDArray[np.uint8]) -> None:
        """Append one frame."""
        picture = depth.colorize(colormap=self._output.colormap, value_range=self._output.value_range)
        if self._format == "side":
            picture = side_by_side(frame, picture)
        if self._writer is None:
            size = (picture.shape[1], picture.shape[0])  # (w, h) for OpenCV
            self._writer = cv2.VideoWriter(str(self._temporary), cv2.VideoWriter.fourcc(*CODEC), self._fps, size)
            if not self._writer.isOpened():
                raise InputError(
                    f"{self.path} cannot be written as a {CODEC} video; use --format npz for single frames"
                )
        self._writer.write(picture)

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.release()


def _title(source: Source) -> str:
    return f"camera {source.name}" if source.kind == "camera" else source.name
