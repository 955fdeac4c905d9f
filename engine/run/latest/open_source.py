"""Anything that gives frames in, a reader of its frames out: a camera, an address, a file, a function, an iterable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...images.limits import Limits, check_image
from ..sources import Source, find_sources
from ..video.camera import CameraReader
from ..video.frames import Frame, FrameReader, title_of
from ..video.stream import StreamReader
from ..video.video_file import VideoFileReader

Given = NDArray[np.uint8] | tuple[NDArray[np.uint8], int | None]  # an image, or with its stamp in ns
FrameSource = int | str | Path | Source | Callable[[], Given | None] | Iterable[Given]


@dataclass(frozen=True, slots=True)
class Feed:
    """A source and how it is treated.

    Args:
        title: What messages call it.
        open: Returns a reader of its frames; raises InputError if it cannot be opened.
        paced: Whether frames are given at their times, because reading would be faster: those of a file.
        again: Whether it can be opened again after it broke: not a file or an iterable, which have an end.
    """

    title: str
    open: Callable[[], FrameReader]
    paced: bool
    again: bool


def feed_of(source: FrameSource, *, limits: Limits, stall_s: float) -> Feed:
    """Return how a source is opened and treated.

    Args:
        source: Index of a camera; an address (rtsp://...) or a video file; a Source of these; a function without
            arguments that blocks until it returns the next frame, None at the end; or an iterable of frames. A frame of
            the last two is an image (H, W, 3) uint8 BGR, or an image with its stamp in nanoseconds.
        limits: Largest frame.
        stall_s: After so long without data, reading an address gives up.

    Raises:
        InputError: The source is none of these.
    """
    if isinstance(source, (int, str, Path)) and not isinstance(source, bool):
        source = _find(str(source))
    if isinstance(source, Source):
        return _feed_of_source(source, limits, stall_s)
    if callable(source):
        return Feed("the function", partial(CallReader, source, limits), paced=False, again=True)
    if isinstance(source, Iterable):
        begun = iter(source)
        return Feed("the iterable", partial(CallReader, partial(next, begun, None), limits), paced=False, again=False)
    raise InputError(
        f"source: {type(source).__name__} found, expected a camera's index, an address, a video file, a function or an "
        "iterable of images"
    )


class CallReader(FrameReader):
    """The frames that a function returns.

    Each image is copied, so that the function may write its buffer again.

    Args:
        read: Returns the next frame, or None after the last.
        limits: Largest frame.
    """

    def __init__(self, read: Callable[[], Given | None], limits: Limits) -> None:
        super().__init__(max_frames=None, fps=None, ticks=1_000_000, announced=None)
        self._call, self._limits = read, limits
        self._start_s: float | None = None

    def close(self) -> None:
        """Do nothing: the function is the caller's."""

    def nothing(self) -> str:
        """Return what is wrong with a function that gave no frame."""
        return "gave no frame"

    def _read(self) -> Frame | None:
        given = self._call()
        if given is None:
            return None
        image, stamp_ns = given if isinstance(given, tuple) else (given, None)
        check_image(image)
        self._limits.check_shape(image.shape[0], image.shape[1], "a frame")
        now_s = monotonic()
        self._start_s = now_s if self._start_s is None else self._start_s
        return Frame(np.array(image), now_s - self._start_s, None if stamp_ns is None else int(stamp_ns))

    def _shortfall(self) -> str | None:
        return None


def _find(text: str) -> Source:
    """Return the camera, stream or video that a text names."""
    found: Iterator[Source] = iter(find_sources([text]))
    source = next(found)
    if source.kind == "image" or next(found, None) is not None:
        raise InputError(f"{text} is no camera, stream or video; give a camera's index, an address or a video file")
    return source


def _feed_of_source(source: Source, limits: Limits, stall_s: float) -> Feed:
    title = title_of(source)
    if source.kind == "video":
        return Feed(title, partial(VideoFileReader, source, limits=limits), paced=True, again=False)
    if source.is_stream:
        return Feed(title, partial(StreamReader, source, limits=limits, timeout_s=stall_s), paced=False, again=True)
    return Feed(title, partial(CameraReader, source), paced=False, again=True)
