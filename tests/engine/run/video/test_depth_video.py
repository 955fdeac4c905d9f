"""Depth videos keep every pixel in its place, and are whole or do not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_depth import make_depth
from made_video import pictures_of, times_of
from numpy.typing import NDArray

from depthrt import InputError
from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.write import GAP_PX
from depthrt.engine.run.video.depth_video import DepthVideo
from depthrt.engine.run.video.frames import Frame
from depthrt.engine.run.video.mp4_writer import Mp4Writer, UnwritableVideo
from depthrt.engine.run.video.steady_range import Painted, Range
from depthrt.engine.terms import Colormap, Format

CODING = 6.0  # mean difference of 8-bit levels that the codec makes of a smooth picture
TIMES_S = (0.0, 0.1, 0.7)


def ramp(height: int, width: int) -> Depth:
    values = np.linspace(1, 2, height * width, dtype=np.float32).reshape(height, width)
    return make_depth(values, kind="inverse")


def photo(height: int, width: int) -> NDArray[np.uint8]:
    return np.tile(np.linspace(0, 255, width).astype(np.uint8)[:, None], (height, 1, 3))


def video(path: Path, format: Format = "color", colormap: Colormap | None = None) -> DepthVideo:
    return DepthVideo(path, format, colormap=colormap, fps=10, ticks=1000)


def painted(height: int, width: int, time_s: float = 0.0, value_range: Range | None = None) -> Painted:
    return Painted(ramp(height, width), Frame(photo(height, width), time_s), value_range)


def write(
    path: Path,
    height: int,
    width: int,
    format: Format = "color",
    colormap: Colormap | None = None,
    value_range: Range | None = None,
) -> None:
    with video(path, format, colormap) as made:
        for time_s in TIMES_S:
            made.add(painted(height, width, time_s, value_range))


def difference(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found.astype(int) - expected).mean())


def test_a_colour_video_is_the_painted_depth_at_the_times_of_its_frames(tmp_path: Path) -> None:
    write(tmp_path / "new" / "a.mp4", 64, 96, colormap="gray", value_range=(0.5, 2.5))
    expected = ramp(64, 96).colorize(colormap="gray", value_range=(0.5, 2.5))
    pictures = pictures_of(tmp_path / "new" / "a.mp4")
    assert len(pictures) == 3 and max(difference(picture, expected) for picture in pictures) < CODING
    assert times_of(tmp_path / "new" / "a.mp4") == pytest.approx(TIMES_S)


def test_a_side_video_has_photograph_gap_and_depth(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", 64, 96, "side")
    picture = pictures_of(tmp_path / "a.mp4")[0]
    assert picture.shape == (64, 96 + GAP_PX + 96, 3)
    assert difference(picture[:, :96], photo(64, 96)) < CODING
    assert difference(picture[:, 96 + GAP_PX :], ramp(64, 96).colorize()) < CODING


@pytest.mark.parametrize(("height", "width"), [(63, 95), (64, 95), (63, 96), (1, 1)])
def test_odd_sides_repeat_their_last_row_and_column(tmp_path: Path, height: int, width: int) -> None:
    write(tmp_path / "a.mp4", height, width, colormap="gray")
    picture = pictures_of(tmp_path / "a.mp4")[0]
    rows, columns = height + height % 2, width + width % 2
    picture_of_depth = ramp(height, width).colorize(colormap="gray")
    expected = np.pad(picture_of_depth, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge")
    assert difference(picture, expected) < CODING


def test_odd_sides_grow_at_the_bottom_and_at_the_right(tmp_path: Path) -> None:
    values = np.full((63, 95), 2, np.float32)
    values[:1] = values[:, :1] = 1  # a dark edge at the top and at the left
    with video(tmp_path / "a.mp4", colormap="gray") as made:
        made.add(Painted(make_depth(values, kind="inverse"), Frame(photo(63, 95), 0.0), None))
    picture = pictures_of(tmp_path / "a.mp4")[0]
    assert picture[0].mean() < 64 and picture[:, 0].mean() < 64
    assert min(picture[1, 1:].mean(), picture[1:, 1].mean(), picture[-1, 1:].mean(), picture[1:, -1].mean()) > 192


def test_a_frame_of_another_size_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    message = r"a\.mp4: a frame of 32x48 px \(HxW\) found after frames of 64x96, .*; use --format npz"
    with pytest.raises(UnwritableVideo, match=message), video(tmp_path / "a.mp4") as made:
        made.add(painted(64, 96))
        made.add(painted(32, 48, 0.1))
    assert list(tmp_path.iterdir()) == []


def test_a_video_without_a_frame_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.mp4 is not written: every frame failed"), video(tmp_path / "a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("frames", [0, 1])
def test_an_error_leaves_the_file_of_before(tmp_path: Path, frames: int) -> None:
    (tmp_path / "a.mp4").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), video(tmp_path / "a.mp4") as made:
        for _ in range(frames):
            made.add(painted(64, 96))
        raise KeyboardInterrupt
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_an_error_that_ends_a_video_is_not_hidden_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mp4Writer, "finish", lambda *_: pytest.fail("a video that failed was finished"))
    with pytest.raises(KeyboardInterrupt), video(tmp_path / "a.mp4") as made:
        made.add(painted(64, 96))
        raise KeyboardInterrupt


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(InputError, match=r"folder .*plain cannot be made"), video(tmp_path / "plain" / "a.mp4"):
        pass
