"""Which files hold the depth of each source, and which are refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from depthrt import InputError
from depthrt.engine.run.jobs import ENDING, STDOUT, Job, Style, make_jobs, plan_jobs
from depthrt.engine.run.sources import Source, SourceKind, find_sources
from depthrt.engine.system.files import longest_name_bytes
from depthrt.engine.terms import FORMATS, Format

IMAGE = Source("a.jpg", "image", Path("sub/a"))
VIDEO = Source("clip.mp4", "video", Path("sub/clip"))
CAMERA = Source("0", "camera", Path("camera0"))


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_outputs_mirror_the_inputs(tmp_path: Path) -> None:
    (job,) = plan_jobs([IMAGE], tmp_path, formats=["color", "npz", "color"])
    assert job == Job(IMAGE, {tmp_path / "sub" / "a.png": "color", tmp_path / "sub" / "a.npz": "npz"})
    assert job.frame_files(0) == {}


def test_a_video_gives_a_video_per_picture_and_a_file_per_frame_of_other_formats() -> None:
    (job,) = make_jobs([VIDEO], Path("out"), ("color", "png16", "side", "npy"))
    assert job.files == {Path("out/sub/clip.mp4"): "color", Path("out/sub/clip_side.mp4"): "side"}
    assert job.frame_files(7) == {
        Path("out/sub/clip/000007_depth16.png"): "png16",
        Path("out/sub/clip/000007.npy"): "npy",
    }


def test_a_target_with_dots_keeps_them() -> None:
    image, video = make_jobs(
        [Source("v1.2.jpg", "image", Path("v1.2")), Source("v1.2.mp4", "video", Path("v1.3"))], Path("out"), FORMATS
    )
    assert set(image.files) == {Path(f"out/v1.2{ending}") for ending in ENDING.values()}
    assert set(video.files) == {Path("out/v1.3.mp4"), Path("out/v1.3_side.mp4")}


def test_a_single_image_can_go_to_a_named_file(tmp_path: Path) -> None:
    assert plan_jobs([IMAGE], tmp_path / "depth.exr") == [Job(IMAGE, {tmp_path / "depth.exr": "exr"})]


@pytest.mark.parametrize(("name", "format"), [("a.png", "png16"), ("a.jpg", "side"), ("a.TIF", "tiff")])
def test_a_named_file_has_the_format_that_was_asked_for(tmp_path: Path, name: str, format: Format) -> None:
    (job,) = plan_jobs([IMAGE], tmp_path / name, formats=[format])
    assert job.files == {tmp_path / name: format}


@pytest.mark.parametrize(("formats", "format"), [((), "color"), (("side",), "side")])
@pytest.mark.parametrize("source", [VIDEO, CAMERA])
def test_a_single_video_or_camera_can_go_to_a_named_file(
    tmp_path: Path, source: Source, formats: tuple[Format, ...], format: Format
) -> None:
    (job,) = plan_jobs([source], tmp_path / "depth.MP4", formats=formats)
    assert job == Job(source, {tmp_path / "depth.MP4": format})


def test_a_folder_of_a_single_video_may_have_a_dot(tmp_path: Path) -> None:
    (job,) = plan_jobs([VIDEO], tmp_path / "v1.0")
    assert all(path.parent.parent == tmp_path / "v1.0" for path in job.files)


def test_a_single_image_can_go_to_standard_output() -> None:
    assert plan_jobs([IMAGE], STDOUT, formats=["npz"]) == [Job(IMAGE, {STDOUT: "npz"})]


@pytest.mark.parametrize(
    ("sources", "formats", "message"),
    [
        ([IMAGE, IMAGE], [], "-o - writes the depth of one image to standard output, 2 inputs found; give a folder"),
        ([VIDEO], [], "-o - writes the depth of one image .*, a video or camera found; give a folder"),
        ([IMAGE], ["color", "npz"], r"-o - writes one file to standard output, 2 formats found \(color, npz\)"),
    ],
)
def test_what_standard_output_cannot_hold_is_refused(
    sources: list[Source], formats: list[Format], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_jobs(sources, STDOUT, formats=formats)


def test_a_terminal_gets_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(InputError, match="standard output is a terminal, -o - expects a pipe or a file there"):
        plan_jobs([IMAGE], STDOUT)
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(InputError, match="standard output is closed"):
        plan_jobs([IMAGE], STDOUT)


def test_a_format_that_is_given_twice_is_one(tmp_path: Path) -> None:
    (job,) = plan_jobs([IMAGE], tmp_path / "a.png", formats=["side", "side"])
    assert job.files == {tmp_path / "a.png": "side"}


def test_a_folder_that_looks_like_a_file_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "depth.png").mkdir()
    (job,) = plan_jobs([IMAGE], tmp_path / "depth.png")
    assert job.files == {tmp_path / "depth.png" / "sub" / "a.png": "color"}


def test_a_folder_without_a_format_gets_colour_pictures(tmp_path: Path) -> None:
    assert [list(job.files.values()) for job in plan_jobs([IMAGE, VIDEO], tmp_path)] == [["color"], ["color"]]


@pytest.mark.parametrize(
    ("sources", "name", "formats", "message"),
    [
        ([IMAGE, IMAGE], "depth.png", [], "names a file, but there are 2 inputs; give a folder"),
        ([IMAGE, VIDEO], "depth.mp4", [], "names a file, but there are 2 inputs; give a folder"),
        ([VIDEO], "depth.mkv", [], r"suffix '\.mkv' found, a depth video expects \.mp4; change it, or give a folder"),
        ([VIDEO], "depth.png", ["side"], r"suffix '\.png' found, a depth video expects \.mp4"),
        ([VIDEO], "depth.mp4", ["npz"], "names a file, but format npz gives a file per frame; give a folder"),
        ([VIDEO], "depth.mp4", ["color", "npz"], r"2 formats \(color, npz\); give one, or a folder"),
        ([IMAGE], "depth.mp4", [], r"suffix '\.mp4' found, expected one of \.exr, .*; if it is a folder, make it"),
        ([IMAGE], "depth.xyz", [], r"suffix '\.xyz' found, expected one of \.exr, .*; if it is a folder, make it"),
        ([IMAGE], "depth.jpg", ["png16"], r"suffix '\.jpg' found, format png16 expects \.png"),
        ([IMAGE], "depth.png", ["color", "npz"], r"2 formats \(color, npz\); give one, or a folder"),
    ],
)
def test_a_file_that_cannot_hold_the_depth_is_refused(
    tmp_path: Path, sources: list[Source], name: str, formats: list[Format], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_jobs(sources, tmp_path / name, formats=formats)


@pytest.mark.parametrize("ends", [(5.0, 5.0), (2.0, 1.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_that_is_none_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="found, expected two finite values, the lower one first"):
        Style(value_range=ends)


@pytest.mark.parametrize(
    ("inputs", "name", "formats"),
    [
        (["p.png"], ".", ["color"]),
        (["p.png"], "p.png", []),
        (["p.png"], "link.png", []),
        (["p.png", "p_side.png"], ".", ["side"]),
        (["clip.mp4"], ".", ["color"]),
        (["clip.mp4", "clip/000003.tiff"], ".", ["tiff"]),
    ],
)
def test_an_output_never_replaces_an_input(tmp_path: Path, inputs: list[str], name: str, formats: list[Format]) -> None:
    make_files(tmp_path, *inputs)
    (tmp_path / "link.png").symlink_to(tmp_path / "p.png")
    sources = find_sources([str(tmp_path / text) for text in inputs])
    with pytest.raises(InputError, match=r"would be replaced by its own depth; give another place with -o"):
        plan_jobs(sources, tmp_path / name, formats=formats)


def test_an_image_is_not_named_like_a_frame_of_a_video(tmp_path: Path) -> None:
    make_files(tmp_path, "clip.mp4", "clip/000000.jpg")
    sources = find_sources([str(tmp_path)])
    with pytest.raises(InputError, match=r"000000\.npy would hold the depth of two inputs; run them separately"):
        plan_jobs(sources, tmp_path / "depth", formats=["npy"])
    assert len(plan_jobs(sources, tmp_path / "depth", formats=["color"])) == 2
    (tmp_path / "clip/000000.jpg").rename(tmp_path / "clip/first.jpg")
    assert len(plan_jobs(find_sources([str(tmp_path)]), tmp_path / "depth", formats=["npy"])) == 2


def test_no_output_replaces_another(tmp_path: Path) -> None:
    make_files(tmp_path, "a.jpg", "a_side.jpg")
    sources = find_sources([str(tmp_path)])
    with pytest.raises(InputError, match=r"a_side\.png would hold the depth of two inputs; run them separately"):
        plan_jobs(sources, tmp_path / "depth", formats=["color", "side"])
    assert len(plan_jobs(sources, tmp_path / "depth", formats=["side", "npy"])) == 2


def test_a_file_beside_the_inputs_may_be_replaced(tmp_path: Path) -> None:
    make_files(tmp_path, "a.jpg", "a.png", "clip.mp4", "clip/000003_depth16.png", "clip/notes_depth16.png")
    sources = find_sources([str(tmp_path / "a.jpg"), str(tmp_path / "clip.mp4")])
    sources += find_sources([str(tmp_path / "clip" / "notes_depth16.png")])
    assert len(plan_jobs(sources, tmp_path, formats=["png16"])) == 3
    assert len(plan_jobs(sources[:1], tmp_path, formats=["color"])) == 1


@pytest.mark.parametrize(
    ("source", "formats", "existing", "done"),
    [
        (IMAGE, ("color", "npy"), ("sub/a.png", "sub/a.npy"), True),
        (IMAGE, ("color", "npy"), ("sub/a.png",), False),
        (VIDEO, ("color", "side"), ("sub/clip.mp4", "sub/clip_side.mp4"), True),
        (VIDEO, ("color", "side"), ("sub/clip.mp4",), False),
        (VIDEO, ("color", "npy"), ("sub/clip.mp4", "sub/clip/000000.npy"), False),  # more frames may be missing
        (VIDEO, ("npy",), ("sub/clip/000000.npy",), False),
        (CAMERA, ("color",), ("camera0.mp4",), False),
    ],
)
def test_a_job_is_done_if_every_output_surely_exists(
    tmp_path: Path, source: Source, formats: tuple[Format, ...], existing: tuple[str, ...], done: bool
) -> None:
    make_files(tmp_path, *existing)
    (job,) = make_jobs([source], tmp_path, formats)
    assert job.is_done() is done


@pytest.mark.parametrize(
    ("kind", "format", "ending"),
    [("image", "png16", "_depth16.png"), ("image", "color", ".png"), ("video", "side", "_side.mp4")],
)
def test_a_name_that_gets_too_long_says_what_is_added_and_how_long_it_may_be(
    tmp_path: Path, kind: SourceKind, format: Format, ending: str
) -> None:
    longest = longest_name_bytes(tmp_path)
    fits, long = (make_jobs([named("a" * (longest - len(ending) + more), kind)], tmp_path, [format]) for more in (0, 1))
    fits[0].check_names()
    message = rf"{ending} is added to it, so it may have {longest - len(ending)}; rename the input"
    with pytest.raises(InputError, match=rf"has {longest + 1} bytes, expected at most {longest}; {message}"):
        long[0].check_names()
    assert not long[0].is_done()


def test_the_folder_of_frames_may_have_a_name_that_is_too_long(tmp_path: Path) -> None:
    (job,) = make_jobs([named("a" * 256, "video")], tmp_path, ["npy"])
    with pytest.raises(InputError, match="has 256 bytes, expected at most 255; shorten it; rename the input"):
        job.check_names()


def named(stem: str, kind: SourceKind) -> Source:
    return Source(f"{stem}.xyz", kind, Path(stem))
