"""Videos in, depth videos out: times, sizes, and what is lacking."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import sleep

import av
import numpy as np
import pytest
from made_onnx import sealed_again
from made_video import UNEVEN_S, pictures_of, times_of, write_video
from PIL import Image
from served_stream import network_camera
from tiny_model import TinyModel

import depthrt
from depthrt import InputError, Limits
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.run.jobs import PLAIN, Job, Style, make_jobs
from depthrt.engine.run.latest.latest_reader import Latest
from depthrt.engine.run.run_images import Written
from depthrt.engine.run.run_video import open_frames, run_video
from depthrt.engine.run.sources import Source
from depthrt.engine.run.video.video_file import VideoFileReader
from depthrt.engine.system.process.overlap import Outcome
from depthrt.engine.terms import Format

NO_WAIT_MS = 300.0  # of an age beyond the inference on a busy machine; a frame that waits for two others has 200 more
CODING = 6.0  # mean difference of 8-bit levels that the codec makes of a smooth picture
EVEN_S = [number / 10 for number in range(12)]


def job_of(path: Path, formats: Sequence[Format] = ("color",)) -> Job:
    (job,) = make_jobs([Source(str(path), "video", Path("clip"))], path.parent / "out", formats)
    return job


def run_all(model: depthrt.DepthModel, job: Job, *, max_frames: int | None = None) -> list[Outcome[int, Written]]:
    with open_frames(job.source, max_frames=max_frames, limits=model.limits) as reader:
        return list(run_video(model, job, reader, style=PLAIN))


def times_in(outcomes: Sequence[Outcome[int, Written]]) -> list[float | None]:
    return [outcome.result.time_s for outcome in outcomes if outcome.result is not None]


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_each_frame_of_the_depth_is_shown_when_its_source_is(
    tmp_path: Path, model: depthrt.DepthModel, name: str
) -> None:
    write_video(tmp_path / name, UNEVEN_S)
    outcomes = run_all(model, job_of(tmp_path / name, ("color", "side")))
    assert times_in(outcomes) == pytest.approx(UNEVEN_S)
    for written in ("clip.mp4", "clip_side.mp4"):
        assert times_of(tmp_path / "out" / written) == pytest.approx(UNEVEN_S)


@pytest.mark.parametrize("fps", [Fraction(24_000, 1001), Fraction(240_000, 1001), Fraction(1000)])
def test_even_times_are_kept_too(tmp_path: Path, model: depthrt.DepthModel, fps: Fraction) -> None:
    times_s = [float(number / fps) for number in range(12)]
    write_video(tmp_path / "a.mp4", times_s, ticks=240_000, fps=round(fps))
    outcomes = run_all(model, job_of(tmp_path / "a.mp4"))
    assert [outcome.error for outcome in outcomes] == [None] * 12
    assert times_of(tmp_path / "out" / "clip.mp4") == pytest.approx(times_of(tmp_path / "a.mp4"), abs=1e-6)


def test_frames_that_share_a_millisecond_in_matroska_keep_the_speed(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mkv", [number / 10_000 for number in range(20)], ticks=10_000, fps=10_000)
    times_s = times_in(run_all(model, job_of(tmp_path / "a.mkv")))
    assert times_of(tmp_path / "out" / "clip.mp4") == pytest.approx(times_s, abs=1e-6)
    assert times_s[-1] is not None and times_s[-1] < 0.003


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_the_last_frame_is_shown_as_long_as_its_source(tmp_path: Path, model: depthrt.DepthModel, name: str) -> None:
    write_video(tmp_path / name, UNEVEN_S)
    run_all(model, job_of(tmp_path / name))
    (first, second) = (length_s(path) for path in (tmp_path / name, tmp_path / "out" / "clip.mp4"))
    assert second == pytest.approx(first, abs=0.002)


def length_s(path: Path) -> float:
    with av.open(str(path)) as container:
        assert container.duration is not None
        return container.duration / av.time_base


def test_files_of_frames_hold_the_time(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mp4", UNEVEN_S[:7])
    run_all(model, job_of(tmp_path / "a.mp4", ("npz", "png16")))
    files = sorted((tmp_path / "out" / "clip").glob("*.npz"))
    assert [depthrt.Depth.load(path).provenance.time_s for path in files] == pytest.approx(UNEVEN_S[:7])
    text = Image.open(tmp_path / "out" / "clip" / "000005_depth16.png").text  # type: ignore[attr-defined]
    assert json.loads(text["depthrt.provenance"])["time_s"] == pytest.approx(UNEVEN_S[5])


def test_a_turned_and_squeezed_video_becomes_depth_of_what_players_show(
    tmp_path: Path, model: depthrt.DepthModel
) -> None:
    quarter = [0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30]
    write_video(tmp_path / "a.mp4", EVEN_S, size_px=(72, 90), matrix=quarter, pixel_ratio=Fraction(64, 45))
    (outcome, *_) = run_all(model, job_of(tmp_path / "a.mp4", ("color", "npy")))
    assert outcome.result is not None and outcome.result.depth is not None
    assert outcome.result.depth.shape == (128, 72)
    assert np.load(tmp_path / "out" / "clip" / "000000.npy").shape == (128, 72)
    assert pictures_of(tmp_path / "out" / "clip.mp4")[0].shape == (128, 72, 3)


def test_frames_of_odd_sides_lose_no_row_or_column(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mkv", EVEN_S[:2], size_px=(63, 95), codec="ffv1", layout="yuv444p")
    outcomes = run_all(model, job_of(tmp_path / "a.mkv", ("color", "npy")))
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert pictures_of(tmp_path / "out" / "clip.mp4")[0].shape == (64, 96, 3)
    assert np.load(tmp_path / "out" / "clip" / "000000.npy").shape == (63, 95)


def test_a_video_that_is_cut_off_yields_its_frames_and_an_error(tmp_path: Path, model: depthrt.DepthModel) -> None:
    times_s = [number / 10 for number in range(60)]
    write_video(tmp_path / "a.mkv", times_s, fps=10, ticks=10, codec="mpeg4")
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) // 2])
    *frames, last = run_all(model, job_of(tmp_path / "a.mkv"))
    assert 0 < len(frames) < len(times_s) and not any(frame.error for frame in frames)
    assert str(last.error).startswith(f"{tmp_path}/a.mkv ends after {len(frames)} frames and ")
    assert len(times_of(tmp_path / "out" / "clip.mp4")) == len(frames)


def test_pictures_and_codes_of_all_frames_have_one_scale(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    job = job_of(tmp_path / "a.mp4", ("color", "side", "png16"))
    with open_frames(job.source) as reader:
        outcomes = list(run_video(model, job, reader, style=Style("gray")))
    depths = [outcome.result.depth for outcome in outcomes if outcome.result and outcome.result.depth]
    assert len(depths) == len(EVEN_S)
    lows, highs = zip(*(np.percentile(depth.values, (0.5, 99.5)).tolist() for depth in depths), strict=True)
    for name in ("clip.mp4", "clip_side.mp4"):
        for depth, picture in zip(depths, pictures_of(tmp_path / "out" / name), strict=True):
            expected = depth.colorize(colormap="gray", value_range=(min(lows), max(highs)))
            assert np.abs(picture[:, -96:].astype(int) - expected).mean() < CODING
    texts = [Image.open(path).text for path in sorted((tmp_path / "out" / "clip").glob("*_depth16.png"))]  # type: ignore[attr-defined]
    assert len({(text["depthrt.scale"], text["depthrt.offset"]) for text in texts}) == 1 < len(texts)
    assert {text["depthrt.outside"] for text in texts} == {"0"}


def test_frames_of_affine_depth_have_one_scale_too(tmp_path: Path, tiny: TinyModel) -> None:
    path = tmp_path / "affine.onnx"
    path.write_bytes(tiny.onnx.read_bytes())
    sealed_again(path, replace(read_contract(path), kind="affine"))
    write_video(tmp_path / "a.mp4", EVEN_S[:4])
    with depthrt.load(path, device="cpu") as model:
        run_all(model, job_of(tmp_path / "a.mp4", ("png16",)))
    texts = [Image.open(path).text for path in sorted((tmp_path / "out" / "clip").glob("*_depth16.png"))]  # type: ignore[attr-defined]
    assert {text["depthrt.kind"] for text in texts} == {"affine"}
    assert len({(text["depthrt.scale"], text["depthrt.offset"]) for text in texts}) == 1 < len(texts)


def test_a_range_that_is_given_is_that_of_pictures_and_codes(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S[:3])
    job = job_of(tmp_path / "a.mp4", ("color", "png16"))
    with open_frames(job.source) as reader:
        list(run_video(model, job, reader, style=Style("gray", (1e6, 2e6))))
    assert max(int(picture.max()) for picture in pictures_of(tmp_path / "out" / "clip.mp4")) < CODING
    text = Image.open(tmp_path / "out" / "clip" / "000002_depth16.png").text  # type: ignore[attr-defined]
    assert float(text["depthrt.offset"]) + float(text["depthrt.scale"]) == pytest.approx(1e6)


def test_frames_beyond_the_limit_are_not_read(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    assert len(run_all(model, job_of(tmp_path / "a.mp4"), max_frames=3)) == 3
    assert times_of(tmp_path / "out" / "clip.mp4") == pytest.approx(EVEN_S[:3])


def test_an_error_of_the_first_frame_ends_the_video(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    job = job_of(tmp_path / "a.mp4")
    with (
        open_frames(job.source, limits=Limits(max_pixels=100)) as reader,
        pytest.raises(InputError, match=r"a frame of .*a\.mp4 is 64x96 px .*expected at most 100"),
    ):
        list(run_video(model, job, reader, style=PLAIN))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_video_of_one_frame_is_whole_and_one_of_none_is_refused(
    tmp_path: Path, model: depthrt.DepthModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "a.mp4", [0.0])
    assert times_in(run_all(model, job_of(tmp_path / "a.mp4"))) == [0.0]
    assert len(times_of(tmp_path / "out" / "clip.mp4")) == 1
    monkeypatch.setattr(VideoFileReader, "_read", lambda reader: None)
    with pytest.raises(InputError, match=r"a\.mp4 has no frame that can be decoded \(h264"):
        run_all(model, job_of(tmp_path / "a.mp4"))


def test_a_video_that_is_closed_early_leaves_no_file(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    job = job_of(tmp_path / "a.mp4")
    with open_frames(job.source) as reader:
        outcomes = run_video(model, job, reader, style=PLAIN)
        next(outcomes)
        outcomes.close()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_made_ends_the_video(tmp_path: Path, model: depthrt.DepthModel) -> None:
    write_video(tmp_path / "a.mp4", EVEN_S)
    (tmp_path / "out").write_bytes(b"")
    for formats in (("color",), ("npy",)):
        with pytest.raises(InputError, match=r"folder .*out.* cannot be made"):
            run_all(model, job_of(tmp_path / "a.mp4", formats))


class Slow:
    """A model whose inference takes at least so long."""

    def __init__(self, model: depthrt.DepthModel, seconds: float) -> None:
        self._model, self._seconds = model, seconds

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def infer(self, image: np.ndarray, **options: object) -> depthrt.Depth:
        sleep(self._seconds)
        return self._model.infer(image, **options)  # type: ignore[arg-type]


def test_of_the_newest_frames_none_waits_and_each_has_its_age(tmp_path: Path, model: depthrt.DepthModel) -> None:
    times_s = [number / 50 for number in range(50)]
    write_video(tmp_path / "a.mp4", times_s, fps=50)
    job = job_of(tmp_path / "a.mp4", ("color", "npz"))
    with open_frames(job.source, latest=Latest()) as reader:
        outcomes = list(run_video(Slow(model, 0.1), job, reader, style=PLAIN))  # type: ignore[arg-type]
    depths = [outcome.result.depth for outcome in outcomes if outcome.result and outcome.result.depth]
    assert 2 <= len(depths) < len(times_s) and not any(outcome.error for outcome in outcomes)
    found = [depth.provenance for depth in depths]
    assert sum(provenance.skipped or 0 for provenance in found) + len(found) == len(times_s)
    assert all(provenance.age_ms is not None and provenance.age_ms >= 100 for provenance in found)
    assert np.median([provenance.age_ms or 0 for provenance in found]) < 100 + NO_WAIT_MS
    assert times_of(tmp_path / "out" / "clip.mp4") == pytest.approx([provenance.time_s for provenance in found])
    kept = depthrt.Depth.load(tmp_path / "out" / "clip" / "000001.npz").provenance
    assert (kept.stamp_ns, kept.age_ms, kept.skipped) == (found[1].stamp_ns, found[1].age_ms, found[1].skipped)


def test_a_stream_that_breaks_leaves_a_whole_video_and_an_error(tmp_path: Path, model: depthrt.DepthModel) -> None:
    with network_camera(frames=60) as camera:
        (job,) = make_jobs([Source(camera.address, "camera", Path("live"))], tmp_path, ("color",))
        with open_frames(job.source, latest=Latest()) as reader:
            *frames, last = run_video(model, job, reader, style=PLAIN)
    assert frames and str(last.error).startswith(f"{camera.address} broke off after ")
    assert len(times_of(tmp_path / "live.mp4")) == len(frames)
