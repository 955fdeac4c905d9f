"""A video file or a camera in; a depth video, or a depth file per frame, out."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count

from ..errors import InputError
from ..images.limits import DEFAULT_LIMITS, Limits
from ..model.depth_model import Answer, DepthModel, Prepared
from ..model.focal_length import ANY_LENS, Lens
from ..system.process.overlap import Outcome, overlap
from .jobs import Job, Style
from .run_images import Written, save_all
from .sources import Source
from .video.camera import CameraReader
from .video.depth_video import DepthVideo
from .video.frames import Frame, FrameReader, title_of
from .video.mp4_writer import UnwritableVideo
from .video.steady_range import CodeRange, Painted, SteadyRange
from .video.video_file import VideoFileReader


def open_frames(source: Source, *, max_frames: int | None = None, limits: Limits = DEFAULT_LIMITS) -> FrameReader:
    """Open a video file or a camera.

    Args:
        max_frames: Most frames to give; None gives all.
        limits: Largest frame.

    Raises:
        InputError: It cannot be opened.
    """
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

    def read(index: int) -> tuple[int, Frame, Prepared]:
        frame = reader.next()
        if frame is None:
            raise _End
        focal_px = lens.focal_of((frame.image.shape[0], frame.image.shape[1]))
        return index, frame, model.prepare(frame.image, focal_px=focal_px)

    def run(item: tuple[int, Frame, Prepared]) -> tuple[int, Frame, Answer]:
        index, frame, prepared = item
        return index, frame, model.run(prepared)

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

        def write(item: tuple[int, Frame, Answer]) -> Written:
            index, frame, answer = item
            depth = model.finish(answer)
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
