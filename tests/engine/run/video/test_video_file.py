"""Video files give their frames upright, with square pixels, at their times, and say what they lack."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_video import UNEVEN_S, moving_picture, pictures_of, write_video
from numpy.typing import NDArray

from depthrt import InputError, Limits
from depthrt.engine.run.sources import Source
from depthrt.engine.run.video.frames import Frame
from depthrt.engine.run.video.video_file import VideoFileReader

CODING = 12.0  # mean difference of 8-bit levels that a codec and colour at half the size make of moving_picture
SECOND_READER = 1.0  # the same between PyAV and OpenCV, which round alike in the versions that the tests passed with
TICK_S = 1e-9  # rounding of float64; the times themselves are whole ticks
EVEN_S = [number / 30 for number in range(30)]
ONE = 65536  # of a display matrix


def source(path: Path) -> Source:
    return Source(str(path), "video", Path(path.stem))


def read_all(reader: VideoFileReader) -> list[Frame]:
    return list(iter(reader.next, None))


def read_file(path: Path, *, max_frames: int | None = None) -> tuple[list[Frame], str | None]:
    with VideoFileReader(source(path), max_frames=max_frames) as reader:
        return read_all(reader), reader.shortfall()


def difference(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found.astype(int) - expected).mean())


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov", "a.webm", "a.ts"])
def test_uneven_times_are_those_of_the_file(tmp_path: Path, name: str) -> None:
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    write_video(tmp_path / name, UNEVEN_S, codec=codec)
    frames, shortfall = read_file(tmp_path / name)
    assert [frame.time_s for frame in frames] == pytest.approx(UNEVEN_S, abs=TICK_S)
    assert shortfall is None


def test_pictures_that_begin_after_the_sound_keep_their_distance(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mkv", [0.5 + time_s for time_s in EVEN_S], sound_s=2.0)
    frames, shortfall = read_file(tmp_path / "a.mkv")
    assert frames[0].time_s == pytest.approx(0.5, abs=1e-3) and len(frames) == len(EVEN_S)
    assert shortfall is None


def test_subtitles_that_go_on_after_the_pictures_are_no_loss(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mkv", [0.0, 0.1, 0.2])
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\na\n\n2\n00:00:01,500 --> 00:00:09,000\nb\n")
    with (
        av.open(str(tmp_path / "a.mkv")) as pictures,
        av.open(str(tmp_path / "a.srt")) as words,
        av.open(str(tmp_path / "b.mkv"), "w") as both,
    ):
        sources = [(container, both.add_stream_from_template(container.streams[0])) for container in (pictures, words)]
        for container, stream in sources:
            for packet in container.demux():
                if packet.size:
                    packet.stream = stream
                    both.mux(packet)
    frames, shortfall = read_file(tmp_path / "b.mkv")
    assert len(frames) == 3 and shortfall is None


def test_an_avi_that_counts_its_gaps_as_frames_is_whole(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", [0.0, 0.1, 0.2], codec="png", layout="rgb24", ticks=1000)
    frames, shortfall = read_file(tmp_path / "a.avi")
    assert len(frames) == 3 and shortfall is None


def test_a_file_whose_clock_starts_late_starts_at_zero(tmp_path: Path) -> None:
    write_video(tmp_path / "a.ts", [100 + time_s for time_s in EVEN_S], ticks=90_000)
    frames, shortfall = read_file(tmp_path / "a.ts")
    assert [frame.time_s for frame in frames] == pytest.approx(EVEN_S, abs=1e-4)
    assert shortfall is None


def test_frames_without_times_follow_each_other_at_the_announced_rate(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mjpeg", EVEN_S, codec="mjpeg", layout="yuvj420p", ticks=30)
    frames, shortfall = read_file(tmp_path / "a.mjpeg")
    steps = np.diff([frame.time_s for frame in frames])
    assert frames[0].time_s == 0 and len(frames) == len(EVEN_S)
    assert steps == pytest.approx(steps[0]) and steps[0] > 0
    assert shortfall is None  # FFmpeg guesses a duration, which is nothing to complain about


def test_times_that_go_back_go_on_from_the_frame_before(tmp_path: Path) -> None:
    write_video(tmp_path / "a.ts", EVEN_S, ticks=90_000)
    (tmp_path / "b.ts").write_bytes((tmp_path / "a.ts").read_bytes() * 2)  # as recorders splice their parts
    times_s = [frame.time_s for frame in read_file(tmp_path / "b.ts")[0]]
    assert len(times_s) == 2 * len(EVEN_S) and min(np.diff(times_s)) > 0
    assert times_s[: len(EVEN_S)] == pytest.approx(EVEN_S, abs=1e-4)


@pytest.mark.parametrize("ticks", [10, 30, 999])
def test_ticks_are_a_multiple_of_those_of_the_file_and_fine(tmp_path: Path, ticks: int) -> None:
    write_video(tmp_path / "a.avi", [0.0, 1.0], codec="mpeg4", ticks=ticks)
    with VideoFileReader(source(tmp_path / "a.avi")) as reader:
        least = max(1000, 10 * reader.fps)
        assert reader.ticks % ticks == 0 and least <= reader.ticks < 2 * least


def test_a_duration_that_is_guessed_from_the_size_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.m2v"  # a bare stream, whose announced bit rate is far below the real one
    rate = {"b": "20000", "minrate": "20000", "maxrate": "20000", "bufsize": "10000", "qmin": "1", "qmax": "1"}
    write_video(path, EVEN_S, codec="mpeg2video", ticks=30, options=rate)
    with av.open(str(path)) as container:
        assert container.duration is not None and container.duration > 2 * 1e6 * EVEN_S[-1]  # else nothing is tried
    assert read_file(path)[1] is None


@pytest.mark.parametrize(
    ("name", "codec", "layout"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mp4", "libx264", "yuv444p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
    ],
)
def test_pixels_are_those_of_the_file_and_of_a_second_reader(
    tmp_path: Path, name: str, codec: str, layout: str
) -> None:
    write_video(tmp_path / name, EVEN_S, codec=codec, layout=layout, ticks=30)
    frames, _ = read_file(tmp_path / name)
    second = pictures_of(tmp_path / name)
    assert len(frames) == len(second) == len(EVEN_S)
    for number, (frame, other) in enumerate(zip(frames, second, strict=True)):
        assert difference(frame.image, moving_picture(number, 64, 96)) < CODING
        assert difference(frame.image, other) < SECOND_READER


@pytest.mark.skipif("libsvtav1" not in av.codecs_available, reason="this FFmpeg has no AV1 encoder")
def test_av1_is_read(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S[:4], codec="libsvtav1", size_px=(128, 128))
    frames, _ = read_file(tmp_path / "a.mp4")
    assert difference(frames[0].image, moving_picture(0, 128, 128)) < CODING and len(frames) == 4


SIGNS = (-1, 1)
QUARTER_TURNS = [(a, 0, 0, d) for a in SIGNS for d in SIGNS] + [(0, b, c, 0) for b in SIGNS for c in SIGNS]


@pytest.mark.parametrize(("a", "b", "c", "d"), QUARTER_TURNS)
def test_frames_are_turned_and_mirrored_as_the_file_says(tmp_path: Path, a: int, b: int, c: int, d: int) -> None:
    matrix = [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30]
    write_video(tmp_path / "a.mp4", [0.0], matrix=matrix)
    (frame,) = read_file(tmp_path / "a.mp4")[0]
    stored = moving_picture(0, 64, 96)
    rows, columns = np.mgrid[0:64, 0:96]
    across, down = a * columns + c * rows, b * columns + d * rows  # where the matrix puts each pixel
    across, down = across - across.min(), down - down.min()
    shown = np.zeros((down.max() + 1, across.max() + 1, 3), np.uint8)
    shown[down, across] = stored
    assert difference(frame.image, shown) < CODING


@pytest.mark.parametrize(
    ("ratio", "shape"), [(Fraction(64, 45), (576, 1024)), (Fraction(1, 2), (1152, 720)), (Fraction(1), (576, 720))]
)
def test_pixels_become_square_by_growing(tmp_path: Path, ratio: Fraction, shape: tuple[int, int]) -> None:
    write_video(tmp_path / "a.mp4", [0.0], size_px=(576, 720), pixel_ratio=ratio)
    (frame,) = read_file(tmp_path / "a.mp4")[0]
    assert difference(frame.image, _scaled(moving_picture(0, 576, 720), shape)) < CODING


def _scaled(picture: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    rows = np.arange(shape[0]) * picture.shape[0] // shape[0]
    columns = np.arange(shape[1]) * picture.shape[1] // shape[1]
    return np.asarray(picture[rows][:, columns], np.uint8)


def test_a_frame_that_pixels_make_too_large_is_refused_before_it_grows(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [0.0], pixel_ratio=Fraction(16, 1))
    with VideoFileReader(source(tmp_path / "a.mp4")) as reader, pytest.raises(InputError, match=r"64x1536 px \(HxW\)"):
        reader.next()
    limits = Limits(max_pixels=100)
    with (
        VideoFileReader(source(tmp_path / "a.mp4"), limits=limits) as reader,
        pytest.raises(InputError, match=r"a frame of .*a\.mp4 is 64x1536 px .*expected at most 100"),
    ):
        reader.next()


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.mp4"])
@pytest.mark.parametrize("share", [0.4, 0.8])
def test_a_file_that_is_cut_off_gives_what_it_has_and_says_what_lacks(tmp_path: Path, name: str, share: float) -> None:
    # Fragments have their index in front of them; a plain MP4 without its end cannot be opened at all.
    options = {"g": "1"}
    write_video(
        tmp_path / name, [number / 10 for number in range(60)], fps=10, ticks=10, codec="mpeg4", options=options
    )
    if name.endswith("mp4"):
        _to_front(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    assert read_file(tmp_path / name)[1] is None
    (tmp_path / name).write_bytes(whole[: round(len(whole) * share)])
    frames, shortfall = read_file(tmp_path / name)
    assert 0 < len(frames) < 60
    assert shortfall is not None
    assert shortfall.startswith(f"ends after {len(frames)} frames and ") and "of 6.0 s, what follows is" in shortfall


def _to_front(path: Path) -> None:
    """Copy a video with its index at the front, as files for the web have it."""
    other = path.with_name(f"other{path.suffix}")
    with av.open(str(path)) as found, av.open(str(other), "w", options={"movflags": "+faststart"}) as made:
        stream = made.add_stream_from_template(found.streams.video[0])
        for packet in found.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    other.replace(path)


def test_sound_that_lasts_longer_than_the_pictures_is_not_taken_for_a_cut(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mkv", EVEN_S, sound_s=4.0)
    frames, shortfall = read_file(tmp_path / "a.mkv")
    assert len(frames) == len(EVEN_S) and shortfall is None


def test_a_thousand_frames_a_second_are_whole(tmp_path: Path) -> None:
    times_s = [number / 1000 for number in range(200)]
    write_video(tmp_path / "a.mp4", times_s, fps=1000)
    frames, shortfall = read_file(tmp_path / "a.mp4")
    assert [frame.time_s for frame in frames] == pytest.approx(times_s, abs=TICK_S)
    assert shortfall is None


def test_packets_that_cannot_be_decoded_are_counted(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", EVEN_S, codec="mjpeg", layout="yuvj420p", ticks=30)
    content = bytearray((tmp_path / "a.avi").read_bytes())
    starts = [at for at in range(len(content) - 3) if content[at : at + 3] == b"\xff\xd8\xff"]
    for at in starts[10:13]:
        content[at : at + 800] = bytes(800)  # of about 900
    (tmp_path / "a.avi").write_bytes(content)
    frames, shortfall = read_file(tmp_path / "a.avi")
    assert len(frames) == len(EVEN_S) - 3
    assert shortfall == "has damaged parts that cannot be decoded (3 packets); copy it again"


def test_what_a_reader_announces_is_what_it_holds(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    for most, expected in ((None, 30), (7, 7), (99, 30)):
        with VideoFileReader(source(tmp_path / "a.mp4"), max_frames=most) as reader:
            assert reader.frames == expected and reader.ticks % 1000 == 0
            assert reader.fps == pytest.approx(30, rel=1e-2)
            assert len(read_all(reader)) == expected
            assert reader.shortfall() is None


def test_a_reader_that_is_stopped_gives_no_further_frame_and_lacks_nothing(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    with VideoFileReader(source(tmp_path / "a.mp4")) as reader:
        assert reader.next() is not None
        reader.stop()
        assert reader.next() is None and reader.shortfall() is None


def test_a_name_may_look_like_a_protocol_or_be_no_unicode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "a.mp4", [0.0])
    for name in ("2026-05-01T10:30:00.mp4", "caf\udce9.mp4"):
        try:
            Path(name).write_bytes((tmp_path / "a.mp4").read_bytes())
        except (OSError, UnicodeError):
            continue  # files have other names here
        assert len(read_file(Path(name))[0]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"a\.mp4 cannot be opened as a video \(No such file or directory\); check that it plays"),
        (b"no video", r"a\.mp4 cannot be opened as a video \(Invalid data found when processing input\); check"),
        (b"", r"a\.mp4 cannot be opened as a video \(Invalid data"),
    ],
)
def test_a_file_that_is_not_a_video_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(InputError, match=message):
        VideoFileReader(source(tmp_path / "a.mp4"))


def test_packets_that_a_decoder_swallows_are_reported(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    with av.open(str(tmp_path / "a.mp4")) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.pos is not None and packet.size and not packet.is_keyframe:
                data[packet.pos + 4] = 0x0C  # a unit of filler: no picture, and no error. Source: H.264, table 7-1
    (tmp_path / "a.mp4").write_bytes(data)
    frames, shortfall = read_file(tmp_path / "a.mp4")
    lost = len(EVEN_S) - len(frames)
    assert lost > 3 and shortfall == f"has damaged parts that cannot be decoded ({lost} packets); copy it again"


def test_a_piece_that_a_transport_stream_lacks_is_reported(tmp_path: Path) -> None:
    write_video(tmp_path / "a.ts", EVEN_S, size_px=(240, 320))
    data = (tmp_path / "a.ts").read_bytes()
    start = len(data) // 188 // 3 * 188 + 50
    (tmp_path / "a.ts").write_bytes(data[:start] + data[start + len(data) // 4 :])
    frames, shortfall = read_file(tmp_path / "a.ts")
    assert 0 < len(frames) < len(EVEN_S) and "damaged parts that cannot be decoded" in str(shortfall)


def test_a_title_that_is_not_utf_8_does_no_harm(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        container.metadata["title"] = "TITLE"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(moving_picture(0, 48, 64), "bgr24")))
        container.mux(stream.encode(None))
    data = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(data.replace(b"TITLE", "Z\u00fcri ".encode("latin-1")))
    frames, shortfall = read_file(tmp_path / "a.avi")
    assert len(frames) == 1 and shortfall is None


def test_a_file_of_sound_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        part = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        part.sample_rate = 8000
        container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    with pytest.raises(InputError, match=r"cannot be opened as a video \(it holds no pictures\)"):
        VideoFileReader(source(tmp_path / "a.mp4"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"a.mp4 is a pipe, expected a video; write it to a file first"):
        VideoFileReader(Source(str(tmp_path / "a.mp4"), "video", Path("a")))


def nothing_in(path: Path) -> str:
    with VideoFileReader(source(path)) as reader:
        assert reader.next() is None
        return reader.nothing()


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_an_encrypted_video_is_named(tmp_path: Path, codec: str) -> None:
    keys = {"encryption_key": "76a6c65c5ea762046bd749a2e632ccbb", "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else None
    write_video(
        tmp_path / "a.mp4", EVEN_S, codec=codec, options=quiet, muxer={"encryption_scheme": "cenc-aes-ctr", **keys}
    )
    assert nothing_in(tmp_path / "a.mp4") == "is encrypted; give a copy without protection"


def test_a_video_whose_codec_has_no_decoder_names_it_and_a_way_out(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", [0.0, 0.1, 0.2], codec="mjpeg", layout="yuvj420p", ticks=10, fps=10)
    (tmp_path / "a.avi").write_bytes((tmp_path / "a.avi").read_bytes().replace(b"MJPG", b"XYZ1"))
    with pytest.raises(InputError, match=r"\(no decoder for its codec, XYZ1\); convert it .* ffmpeg -i IN"):
        VideoFileReader(source(tmp_path / "a.avi"))
    write_video(tmp_path / "a.mkv", EVEN_S)
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole.replace(b"V_MPEG4/ISO/AVC", b"V_MPEGX/FOO/AVC"))
    with pytest.raises(InputError, match=r"\(no decoder for its codec, which it does not name\); convert it"):
        VideoFileReader(source(tmp_path / "a.mkv"))


def test_a_video_without_a_frame_that_can_be_decoded_names_its_codec(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mov", EVEN_S)
    whole = (tmp_path / "a.mov").read_bytes()
    (tmp_path / "a.mov").write_bytes(whole.replace(b"avc1", b"aprn"))  # ProRes RAW, which this is not
    assert nothing_in(tmp_path / "a.mov").startswith("has no frame that can be decoded (prores_raw, aprn); check")


@pytest.mark.parametrize(
    ("codec", "layout", "suffix"),
    [("libsvtav1", "yuv420p", "mp4"), ("libx265", "yuv422p10le", "mp4"), ("prores_ks", "yuv422p10le", "mov")],
)
def test_codecs_that_the_reader_of_opencv_lacks_are_read(
    tmp_path: Path, codec: str, layout: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVT_LOG", "0")
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else None
    write_video(tmp_path / f"a.{suffix}", EVEN_S[:3], size_px=(128, 128), codec=codec, layout=layout, options=quiet)
    frames, _ = read_file(tmp_path / f"a.{suffix}")
    assert [frame.time_s for frame in frames] == pytest.approx(EVEN_S[:3], abs=1e-3)
    for number, frame in enumerate(frames):
        assert difference(frame.image, moving_picture(number, 128, 128)) < CODING
