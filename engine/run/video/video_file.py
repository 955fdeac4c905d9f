"""Video files, read with PyAV.

It gives the pixels and times of OpenCV's reader in 0.7 to 1.0 times its time (H.264 of 720p and 1080p, MPEG-4, MJPEG,
VP9; medians of interleaved turns on two cores), and what that does not: AV1, pictures that are mirrored, pixels that
are not square, names that are not UTF-8, packets that cannot be decoded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...images.limits import DEFAULT_LIMITS, Limits
from ...system.files import check_plain
from ..sources import Source
from .frames import FALLBACK_FPS, Frame, FrameReader, title_of

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

_ENCRYPTED: Literal["encryption_info"] = "encryption_info"
_WAY_OUT = "convert it with a program that plays it, such as ffmpeg -i IN -c:v libx264 OUT.mp4"
_NO_TIMESTAMPS = 0x80  # Source: FFmpeg, libavformat/avformat.h, AVFMT_NOTIMESTAMPS
_LEAST_TICKS, _MOST_TICKS = 1000, 1_000_000  # a second, in a file that is written with the times of another
_TICKS_A_FRAME = 10  # at the average rate, at least
_SAME_END_S = 0.002  # by which the end of a stream and that of its file may differ if they are one number
_LACKING, _LACKING_FRAMES = 0.01, 3  # of a video's time and frames: a file that lacks no more is whole
_FRAME_EACH = ("h264", "hevc", "mpeg4", "mjpeg", "prores", "mpeg2video")  # codecs whose packets hold one frame each


class VideoFileReader(FrameReader):
    """The frames of a video file.

    Args:
        source: A file.
        max_frames: Most frames to give; None gives all.
        limits: Largest frame.

    Raises:
        InputError: The file is missing, or not a video that can be read.
    """

    def __init__(self, source: Source, *, max_frames: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self._title, self._limits = title_of(source), limits
        self._container, self._stream = self._open(source)
        self._start = Fraction(self._container.start_time or 0, av.time_base)  # exact, as times are
        self._start_s = float(self._start)
        self._end_s, self._timed = _announced_end(self._container, self._stream, self._start_s)
        fps = float(self._stream.average_rate or 0) or None
        announced = self._stream.frames or round(self._end_s * (fps or FALLBACK_FPS)) or None
        super().__init__(max_frames=max_frames, fps=fps, ticks=_ticks_of(self._stream, fps), announced=announced)
        self._errors = av.FFmpegError
        self._reformatter = VideoReformatter()  # shared by all frames: making it takes as long as decoding a frame
        self._last_s: float | None = None
        self._shown = 0
        self._reached_s = 0.0
        self._encrypted = False
        self._undecodable = 0  # packets after the first frame
        self._sent = self._found = 0  # packets from the first key frame on, and frames
        self._has_fields = False  # a packet may then hold half a frame
        self._ended = False
        self._decoded = self._decode()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _open(self, source: Source) -> tuple[InputContainer, VideoStream]:
        """Open the file and find its pictures."""
        import av

        try:
            check_plain(Path(source.name), expected="a video")  # opening a pipe would wait
            path = Path(source.name).absolute()  # else what precedes a colon is taken for a protocol
            container = av.open(str(path), metadata_errors="replace")  # titles of old programs are Latin-1
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"{title_of(source)} cannot be opened as a video ({reason}); check that it plays"
            ) from error
        stream = find_pictures(container, source)
        stream.thread_type = "AUTO"
        return container, stream

    def _read(self) -> Frame | None:
        frame = next(self._decoded, None)
        if frame is None:
            return None
        self._last_s = self._time_of(frame)
        self._shown = frame.duration  # of the last frame; wrong for others if frames are stored out of order
        return Frame(self._picture(frame), self._last_s)

    def nothing(self) -> str:
        """Return why there is no frame at all."""
        if self._encrypted:
            return "is encrypted; give a copy without protection"
        context = self._stream.codec_context
        tag = "".join(letter for letter in context.codec_tag if letter.isascii() and letter.isalnum())
        codec = ", ".join(filter(None, [context.name, tag]))
        return f"has no frame that can be decoded ({codec}); check that it plays, and {_WAY_OUT}"

    def _shortfall(self) -> str | None:
        if self._encrypted:
            return f"is encrypted after {self.given} frames; give a copy without protection"
        # By time, as a file announces as many uneven frames as even ones would be.
        apart_s = max(1 / self.fps, self._reached_s / max(self.given, 1))  # AVI counts gaps as frames
        least_s = (1 - _LACKING) * self._end_s - _LACKING_FRAMES * apart_s
        if 0 < self._reached_s < least_s:
            reached = f"{self.given} frames and {self._reached_s:.1f} of {self._end_s:.1f} s"
            return f"ends after {reached}, what follows is cut off or damaged; copy it again"
        undecodable = max(self._undecodable, self._swallowed())
        if undecodable:
            return f"has damaged parts that cannot be decoded ({undecodable} packets); copy it again"
        return None

    def _swallowed(self) -> int:
        """Return the number of packets for which a decoder gave no frame and no error, 0 if there are few."""
        if not self._ended or self._has_fields or self._stream.codec_context.name not in _FRAME_EACH:
            return 0
        lost = self._sent - self._found
        return lost if lost > _LACKING_FRAMES + _LACKING * self._sent else 0

    def _last_length_s(self) -> float | None:
        if self._last_s is None or self._stream.time_base is None or self._shortfall() is not None:
            return None
        if self._timed == {self._stream.index} and self._end_s > self._last_s:
            return self._end_s - self._last_s
        return float(self._shown * self._stream.time_base) or None

    def _decode(self) -> Iterator[VideoFrame]:
        """Yield the frames; packets that cannot be decoded are counted, and a file that cannot be read on ends."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except self._errors:
                packet = None
            if packet is None:
                yield from self._frames_of(None)
                self._ended = True
                return
            self._note_time(packet)
            if packet.stream is self._stream and packet.size and packet.has_sidedata(_ENCRYPTED):
                self._encrypted = True  # a decoder would take it for damage, or make noise of it
                yield from self._frames_of(None)
                return
            if packet.stream is self._stream and packet.size:  # an empty packet would end the decoder
                yield from self._frames_of(packet)

    def _frames_of(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        """Return the frames that a packet completes; None asks for the last ones."""
        if packet is not None and not packet.is_discard:
            self._sent += self._sent > 0 or packet.is_keyframe
            self._undecodable += packet.is_corrupt and self._sent > 1
        try:
            frames = self._stream.codec_context.decode(packet)
        except self._errors:
            self._undecodable += self.given > 0  # a recording may begin in the middle of a group of pictures
            return []
        self._found += len(frames)
        self._has_fields |= any(frame.interlaced_frame for frame in frames)
        return frames

    def _note_time(self, packet: Packet[Any]) -> None:
        """Note how far the file was read."""
        shown = packet.dts if packet.pts is None else packet.pts
        if shown is not None and packet.time_base is not None and packet.stream.index in self._timed:
            ends_s = float((shown + (packet.duration or 0)) * packet.time_base) - self._start_s
            self._reached_s = max(self._reached_s, ends_s)

    def _time_of(self, frame: VideoFrame) -> float:
        """Return when a frame is shown; times that are missing, stand still or go back follow the frame before."""
        base = self._stream.time_base
        time_s = None if frame.pts is None or base is None else float(frame.pts * base - self._start)
        if self._last_s is None:
            return max(time_s or 0.0, 0.0)
        return time_s if time_s is not None and time_s > self._last_s else self._last_s + 1 / self.fps

    def _picture(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return a frame upright and with square pixels."""
        height, width = _square_px(frame, self._stream.sample_aspect_ratio)
        self._limits.check_shape(height, width, f"a frame of {self._title}")
        rule = None if (height, width) == (frame.height, frame.width) else "BICUBIC"
        picture = self._reformatter.reformat(frame, width, height, "bgr24", interpolation=rule)
        return _upright(np.asarray(picture.to_ndarray(), np.uint8), frame)


def find_pictures(container: InputContainer, source: Source) -> VideoStream:
    """Return the pictures of an open file or stream; closes one without pictures that can be decoded.

    Raises:
        InputError: It has none.
    """
    import av

    title = title_of(source)
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream):
        container.close()
        raise InputError(f"{title} cannot be opened as a video (it holds no pictures); check that it plays")
    if stream.codec_context is None:
        container.close()
        codec = _codec_in_log(source)
        raise InputError(f"{title} cannot be opened as a video (no decoder for its codec, {codec}); {_WAY_OUT}")
    return stream


def _codec_in_log(source: Source) -> str:
    """Return what FFmpeg calls a codec that it cannot decode; only its log tells."""
    import av
    import av.logging

    if source.is_stream:
        return "which it does not name"
    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(True) as log, av.open(str(Path(source.name).absolute()), metadata_errors="replace"):
            pass
    finally:
        av.logging.set_level(level)
    found = re.search(r"Video: (?:none \()?(\w+)", " ".join(text for _, _, text in log))
    return found[1] if found and found[1] != "none" else "which it does not name"


def _announced_end(container: InputContainer, stream: VideoStream, start_s: float) -> tuple[float, set[int]]:
    """Return the end that a file announces in seconds, 0 if it announces none, and the streams that reach it."""
    import av

    if container.format.flags & _NO_TIMESTAMPS:
        return 0.0, set()  # FFmpeg guesses a duration from the size of the file
    if container.format.name == "avi" and stream.frames and stream.average_rate:
        return float(stream.frames / stream.average_rate), {stream.index}  # FFmpeg cuts the duration to the file's size
    whole_s, streams = (container.duration or 0) / av.time_base, {other.index for other in container.streams}
    if stream.duration is None or stream.time_base is None:
        return whole_s, streams  # sound may end after the pictures
    end_s = float(((stream.start_time or 0) + stream.duration) * stream.time_base) - start_s
    if "mp4" not in container.format.name and abs(end_s - whole_s) < _SAME_END_S:
        return end_s, streams  # Matroska and others have one duration, which sound and subtitles may reach
    return end_s, {stream.index}


def _ticks_of(stream: VideoStream, fps: float | None) -> int:
    """Return the parts of a second in which a stream counts, or a multiple of them that is not too coarse.

    Matroska counts milliseconds, and may hold more frames than that.
    """
    ticks = 1 if stream.time_base is None else stream.time_base.denominator
    least = max(_LEAST_TICKS, min(_TICKS_A_FRAME * (fps or 0), _MOST_TICKS))
    return min(ticks * math.ceil(least / ticks), _MOST_TICKS)


def _square_px(frame: VideoFrame, ratio: Fraction | None) -> tuple[int, int]:
    """Return (h, w) of a frame with square pixels: the side that is too short grows, as players have it.

    Args:
        ratio: Width over height of a pixel; 0 or None if the file does not say.
    """
    if not ratio or ratio < 0 or ratio == 1:
        return frame.height, frame.width
    if ratio > 1:
        return frame.height, round(frame.width * ratio)
    return round(frame.height / ratio), frame.width


def _upright(image: NDArray[np.uint8], frame: VideoFrame) -> NDArray[np.uint8]:
    """Turn and mirror an image as the display matrix of its frame says, in quarter turns.

    Source: ISO/IEC 14496-12, section 6.2.2: x' = a x + c y, y' = b x + d y; FFmpeg, libavutil/display.h.
    """
    from av.sidedata.sidedata import Type

    matrix = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload]  # PyAV's stubs call it a dict
    if matrix is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(matrix), "=i4")[:5].tolist()
    is_turned = abs(b) > abs(a)
    across, down = (c, b) if is_turned else (a, d)
    turned = image.transpose(1, 0, 2) if is_turned else image
    return np.ascontiguousarray(turned[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])
