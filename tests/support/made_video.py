"""Videos for tests, of any codec, container, times, turn and shape of pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

UNEVEN_S = (0.0, 0.1, 0.2, 0.3, 0.4, 2.4, 4.4, 4.5, 4.6, 4.7)  # as screen recorders write

SOUND_HZ = 44_100


def moving_picture(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return a smooth picture without symmetry, (H, W, 3) uint8 BGR; the next number moves its disc."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = columns * 255 // width, rows * 255 // height
    picture = np.stack([np.full_like(red, 60), green, red], axis=-1).astype(np.uint8)
    centre = (width // 4 + 2 * number, height // 3)  # (x, y)
    return np.asarray(cv2.circle(np.ascontiguousarray(picture), centre, height // 6, (255, 255, 255), -1), np.uint8)


def write_video(
    path: Path,
    times_s: Sequence[float],
    *,
    size_px: tuple[int, int] = (64, 96),
    codec: str = "libx264",
    layout: str = "yuv420p",
    ticks: int = 1000,
    fps: int = 30,
    options: dict[str, str] | None = None,
    matrix: Sequence[int] | None = None,
    pixel_ratio: Fraction | None = None,
    sound_s: float = 0.0,
    muxer: dict[str, str] | None = None,
) -> None:
    """Write `moving_picture` 0, 1, ... at the times given.

    Args:
        size_px: (h, w).
        ticks: Parts of a second in which the stream counts.
        matrix: Display matrix: 9 numbers, those of a turn in parts of 65536.
        pixel_ratio: Width over height of a pixel.
        sound_s: Length of a silent sound track from 0 s on.
        muxer: Options of the container.
    """
    with _kept_scheduling(), av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = size_px
        stream.pix_fmt = layout
        stream.codec_context.time_base = Fraction(1, ticks)
        if pixel_ratio is not None:
            stream.codec_context.sample_aspect_ratio = pixel_ratio
        if matrix is not None:
            stream.set_display_matrix(matrix)
        sound = container.add_stream("aac", rate=SOUND_HZ, layout="mono") if sound_s else None
        for number, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(moving_picture(number, *size_px), "bgr24")
            frame.pts, frame.time_base = round(time_s * ticks), Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if isinstance(sound, av.AudioStream):
            for start in range(0, round(SOUND_HZ * sound_s), 1024):
                part = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                part.sample_rate, part.pts = SOUND_HZ, start
                container.mux(sound.encode(part))
            container.mux(sound.encode(None))


@contextmanager
def _kept_scheduling() -> Iterator[None]:
    """Give the thread its scheduling back: SVT-AV1, run by root, makes the thread that opens it real-time, FIFO 99."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


def times_of(path: Path) -> list[float]:
    """Return when each frame of a video is shown, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        return [float(frame.pts * stream.time_base) for frame in container.decode(stream) if frame.pts is not None]


def pictures_of(path: Path) -> list[NDArray[np.uint8]]:
    """Return the frames of a video as OpenCV reads them: (H, W, 3) uint8 BGR."""
    capture, pictures = cv2.VideoCapture(str(path)), []
    while (found := capture.read())[0]:
        pictures.append(np.asarray(found[1], np.uint8))
    capture.release()
    return pictures
