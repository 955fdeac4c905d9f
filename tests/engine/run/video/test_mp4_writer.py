"""MP4 files that browsers play, with every picture at its time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from made_video import UNEVEN_S, moving_picture, pictures_of, times_of

from depthrt import InputError
from depthrt.engine.run.video import mp4_writer
from depthrt.engine.run.video.mp4_writer import ENCODERS, Mp4Writer, UnwritableVideo

FLAT = 4  # 8-bit levels that coding and the way to YUV and back change of a picture of one colour
CODING = 6.0  # mean difference of 8-bit levels of moving_picture, whose red, green and blue are kept at half the size
TICK_S = 1e-9  # rounding of float64; the times themselves are whole ticks
SIZE_PX = (64, 96)


def write(path: Path, times_s: Sequence[float], *, ticks: int = 1000, fps: float = 30.0) -> None:
    with Mp4Writer(path, SIZE_PX, fps=fps, ticks=ticks, name="the video") as writer:
        for number, time_s in enumerate(times_s):
            writer.add(moving_picture(number, *SIZE_PX), time_s)
        writer.finish()


@pytest.mark.parametrize(
    ("times_s", "ticks", "fps"),
    [
        (UNEVEN_S, 1000, 30.0),
        ([0.5 + time_s for time_s in UNEVEN_S], 90_000, 30.0),
        ([number * 1001 / 30_000 for number in range(20)], 30_000, 29.97),
        ([number / 1000 for number in range(100)], 1000, 1000.0),
        ([number / 25 for number in range(10)], 12_800, 25.0),
        ([0.0, 1 / 3, 1.0], 999_999, 2.0),
        ([0.0, 3600.0, 7200.5], 90_000, 1 / 3600),
        ([0.0, 1.0], 1000, 1e-6),
    ],
)
def test_each_picture_is_shown_at_its_time(tmp_path: Path, times_s: Sequence[float], ticks: int, fps: float) -> None:
    write(tmp_path / "a.mp4", times_s, ticks=ticks, fps=fps)
    assert times_of(tmp_path / "a.mp4") == pytest.approx(times_s, abs=TICK_S)
    assert len(pictures_of(tmp_path / "a.mp4")) == len(times_s)


def test_a_time_that_is_not_later_is_moved_by_a_tick(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [0.0, 0.0, 0.0001, 0.5, 0.4])
    assert times_of(tmp_path / "a.mp4") == pytest.approx([0.0, 0.001, 0.002, 0.5, 0.501], abs=TICK_S)


def test_a_single_picture_lasts(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [0.0])
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.duration is not None and container.duration > 0.9e6 / 30  # microseconds


def duration_ticks(path: Path) -> int:
    """Return how long the last picture is shown, in ticks of a millisecond."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
        last = max(packets, key=lambda packet: packet.pts or 0)
        assert last.duration is not None and last.time_base is not None
        return round(last.duration * last.time_base * 1000)


@pytest.mark.parametrize(("last_s", "ticks"), [(None, 33), (0.25, 250), (1e-9, 1)])
def test_the_last_picture_is_shown_for_as_long_as_asked_and_at_least_a_tick(
    tmp_path: Path, last_s: float | None, ticks: int
) -> None:
    with Mp4Writer(tmp_path / "a.mp4", SIZE_PX, fps=30, ticks=1000, name="the video") as writer:
        for time_s in (0.0, 0.1):
            writer.add(moving_picture(0, *SIZE_PX), time_s)
        writer.finish(last_s)
    assert duration_ticks(tmp_path / "a.mp4") == ticks


def test_browsers_play_it(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", UNEVEN_S)
    content = (tmp_path / "a.mp4").read_bytes()
    at = content.index(b"avcC") + 5  # Source: ISO/IEC 14496-15, section 5.3.3.1
    profile, constraints, level = content[at : at + 3]
    assert profile == 66 and constraints & 0x40  # constrained baseline: what every decoder has
    assert level <= 52
    assert content.index(b"moov") < content.index(b"mdat")  # plays while it loads
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (0, 0, 255), (200, 60, 20), (30, 200, 90)])
def test_colours_come_back_in_both_readers(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    with Mp4Writer(tmp_path / "a.mp4", SIZE_PX, fps=30, ticks=1000, name="the video") as writer:
        writer.add(np.full((*SIZE_PX, 3), colour, np.uint8), 0.0)
        writer.finish()
    (second,) = pictures_of(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        first = next(container.decode(video=0)).to_ndarray(format="bgr24")
    for picture in (first, second):
        assert np.abs(picture.astype(int) - colour).max() <= FLAT


def test_pictures_come_back_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", UNEVEN_S)
    for number, picture in enumerate(pictures_of(tmp_path / "a.mp4")):
        errors = [
            np.abs(picture.astype(int) - moving_picture(other, *SIZE_PX)).mean() for other in range(len(UNEVEN_S))
        ]
        assert int(np.argmin(errors)) == number and min(errors) < CODING


def test_an_ffmpeg_without_libx264_writes_vp9(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx264"})
    write(tmp_path / "a.mp4", UNEVEN_S)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "vp9"
    assert times_of(tmp_path / "a.mp4") == pytest.approx(UNEVEN_S, abs=TICK_S)


def test_an_ffmpeg_without_an_encoder_for_browsers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", av.codecs_available - ENCODERS.keys())
    with pytest.raises(UnwritableVideo, match=r"none of the encoders libx264, libvpx-vp9; install PyAV's wheel"):
        write(tmp_path / "a.mp4", UNEVEN_S)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableVideo, match=r"the video cannot be written: No such file or directory after"):
        write(tmp_path / "none" / "a.mp4", UNEVEN_S)


def test_a_file_that_goes_while_it_is_written_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with Mp4Writer(tmp_path / "a.mp4", SIZE_PX, fps=30, ticks=1000, name="the video") as writer:
        for number in range(60):  # more than the encoder holds back
            writer.add(rng.integers(0, 256, (*SIZE_PX, 3)).astype(np.uint8), number / 30)
        (tmp_path / "a.mp4").unlink()
        with pytest.raises(UnwritableVideo, match=r"the video cannot be written: .* 60 frames"):
            writer.finish()


def test_a_file_that_lacks_frames_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4_writer, "_frames_in", lambda path: 9)
    with pytest.raises(UnwritableVideo, match=r"it held 9 of 10 frames; is the disk full\?"):
        write(tmp_path / "a.mp4", UNEVEN_S)


def test_a_disk_that_is_full_is_named(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    rng = np.random.default_rng(0)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
        with (
            pytest.raises(
                InputError, match=r"the video cannot be written: File too large after \d+ frames; check that"
            ),
            Mp4Writer(tmp_path / "a.mp4", SIZE_PX, fps=30, ticks=1000, name="the video") as writer,
        ):
            for number in range(60):
                writer.add(rng.integers(0, 256, (*SIZE_PX, 3)).astype(np.uint8), number / 30)
            writer.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_frame_rate_of_players_is_the_one_that_was_given(tmp_path: Path) -> None:
    for fps in (23.976, 25.0, 239.977, 990.1):
        write(tmp_path / "a.mp4", [number / fps for number in range(12)], fps=fps, ticks=90_000)
        with av.open(str(tmp_path / "a.mp4")) as container:
            rate = container.streams.video[0].average_rate
            assert rate is not None and math.isclose(rate, fps, rel_tol=2e-3)


@pytest.mark.parametrize("size_px", [(8, 16386), (16386, 8)])
def test_a_picture_that_no_video_holds_is_refused_with_its_size(tmp_path: Path, size_px: tuple[int, int]) -> None:
    message = rf"the video cannot be written: pictures of {size_px[0]}x{size_px[1]} px .*at most 16384 px .*npz"
    with pytest.raises(UnwritableVideo, match=message):
        Mp4Writer(tmp_path / "a.mp4", size_px, fps=10, ticks=1000, name="the video")
