"""A video file or a camera in; a depth video, or a depth file per frame, out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from typing import Any

from ..depth.depth import Depth
from ..depth.intrinsics import Intrinsics
from ..errors import InputError
from ..images.limits import DEFAULT_LIMITS, Limits
from ..model.depth_model import Answer, DepthModel, Prepared
from ..model.focal_length import ANY_LENS, Lens
from ..system.process.overlap import Outcome, overlap
from .jobs import Job, Style
from .latest.latest_reader import Latest, LatestReader
from .latest.newest_frame import NewestFrame
from .run_images import Written, save_all
from .sources import Source
from .video.camera import CameraReader
from .video.depth_video import DepthVideo
from .video.frames import Frame, FrameReader, title_of
from .video.mp4_writer import UnwritableVideo
from .video.steady_range import CodeRange, Painted, SteadyRange
from .video.stream import StreamReader
from .video.video_file import VideoFileReader

Read = tuple[int, Frame, Prepared] | int
Ran = tuple[int, Frame, Answer | Depth]
Stages = tuple[Callable[[int], Read], Callable[[Any], Ran]]  # the second takes what the first returns


def open_frames(
    source: Source, *, max_frames: int | None = None, limits: Limits = DEFAULT_LIMITS, latest: Latest | None = None
) -> FrameReader:
    """Open a video file, a camera or a stream.

    Args:
        max_frames: Most frames to give; None gives all.
        limits: Largest frame.
        latest: Give the newest frame each time and skip the others; None gives every frame.

    Raises:
        InputError: It cannot be opened.
    """
    if latest is not None:
        return LatestReader(source, latest, max_frames=max_frames, limits=limits)
    if source.is_stream:
        return StreamReader(source, max_frames=max_frames, limits=limits)
    if source.kind == "camera":
        return CameraReader(source, max_frames=max_frames)
    return VideoFileReader(source, max_frames=max_frames, limits=limits)


class _End(Exception):
    """The video has no further frame."""


def run_video(
    model: DepthModel, job: Job, reader: FrameReader, *, style: Style, lens: Lens = ANY_LENS
) -> Generator[Outcome[int, Written], None, None]:
    """Yield the outcome of each frame, with its own files; the depth videos exist once the iterator has ended.

    An iterator that is closed before its end, or interrupted, leaves no video. A source that is cut off or damaged
    yields an error at its end; the depth of what could be read stays.

    Raises:
        InputError: No frame can be read, or a video cannot be written.
    """
    stages = _stages_of_newest if isinstance(reader, LatestReader) else _stages_of_all
    read, run = stages(model, reader, lens)

    with ExitStack() as stack:
        videos = [
            stack.enter_context(DepthVideo(path, format, colormap=style.colormap, fps=reader.fps, ticks=reader.ticks))
            for path, format in job.files.items()
        ]
        colours, codes = SteadyRange(style.value_range), CodeRange()

        def paint(frames: Iterable[Painted]) -> None:
            for painted in frames:
                for video in videos:
                    video.add(painted)

        def write(item: tuple[int, Frame, Answer | Depth]) -> Written:
            index, frame, answer = item
            depth = answer if isinstance(answer, Depth) else model.finish(answer)
            depth = replace(depth, provenance=replace(depth.provenance, time_s=frame.time_s))
            if videos:
                paint(colours.add(depth, frame))
            scaled = style
            if "png16" in job.frame_formats and not depth.unit and style.value_range is None:
                scaled = Style(style.colormap, codes.of(depth))
            return save_all(depth, frame.image, job.frame_files(index), scaled, time_s=frame.time_s)

        # Closed before the videos are, so that no thread still writes to them.
        for outcome in stack.enter_context(closing(overlap(count(), read=read, run=run, write=write))):
            if isinstance(outcome.error, _End):
                if outcome.item == 0:
                    raise InputError(f"{title_of(job.source)} {reader.nothing()}")
                paint(colours.rest())
                for video in videos:
                    video.show_last(reader.last_length_s())
                if wrong := reader.shortfall():
                    yield Outcome(outcome.item, None, InputError(f"{title_of(job.source)} {wrong}"))
                return
            if isinstance(outcome.error, UnwritableVideo):
                raise outcome.error
            if outcome.item == 0 and isinstance(outcome.error, InputError):
                raise outcome.error  # its size, or a place to write to, which is as wrong for all frames
            yield outcome


def _stages_of_all(model: DepthModel, reader: FrameReader, lens: Lens) -> Stages:
    """Return the stages that read and run every frame; the next ones are read while a frame runs."""

    def read(index: int) -> tuple[int, Frame, Prepared]:
        frame = _next(reader)
        return index, frame, model.prepare(frame.image, camera=_camera(lens, frame))

    def run(item: tuple[int, Frame, Prepared]) -> tuple[int, Frame, Answer]:
        index, frame, prepared = item
        return index, frame, model.run(prepared)

    return read, run


def _stages_of_newest(model: DepthModel, reader: FrameReader, lens: Lens) -> Stages:
    """Return the stages that run the newest frame, which is taken when its turn comes: one that waits would age."""

    def read(index: int) -> int:
        return index

    def run(index: int) -> tuple[int, Frame, Depth]:
        frame = _next(reader)
        assert isinstance(frame, NewestFrame)
        return index, frame, frame.stamped(model.infer(frame.image, camera=_camera(lens, frame)))

    return read, run


def _next(reader: FrameReader) -> Frame:
    frame = reader.next()
    if frame is None:
        raise _End
    return frame


def _camera(lens: Lens, frame: Frame) -> Intrinsics | None:
    return lens.camera_of((frame.image.shape[0], frame.image.shape[1]))
