"""Files, folders, patterns, cameras and standard input become sources, each with its own target."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_image import crop_of_photo, packed

from depthrt import InputError
from depthrt.engine.images.walk import LeftOut
from depthrt.engine.run.jobs import plan_jobs
from depthrt.engine.run.sources import Source, find_images, find_sources, refuse_to_replace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.PNG", "notes.txt", "sub/c.heic", "sub/clip.mp4", ".hidden.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def targets(*inputs: object) -> dict[str, str]:
    return {Path(source.name).name: str(source.target) for source in find_sources([str(text) for text in inputs])}


def test_a_folder_gives_its_images_and_videos_with_their_subfolders(folder: Path) -> None:
    expected = {"a.jpg": "a", "b.PNG": "b", "c.heic": "sub/c", "clip.mp4": "sub/clip"}
    assert targets(folder) == {name: str(Path(target)) for name, target in expected.items()}


def test_numbers_in_names_are_sorted_by_their_value(tmp_path: Path) -> None:
    names = ["frame_1.jpg", "frame_2.jpg", "frame_10.jpg", "frame_11a.jpg", "left2/9.jpg", "left10/1.jpg"]
    for folder in ("left2", "left10"):
        (tmp_path / folder).mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert [str(source.target) for source in find_sources([str(tmp_path)])] == [name[:-4] for name in names]
    found = find_sources([str(tmp_path / "frame_*.jpg")])
    assert [source.target.name for source in found] == ["frame_1", "frame_2", "frame_10", "frame_11a"]


def test_a_pattern_gives_the_images_and_videos_that_match(folder: Path) -> None:
    assert targets(folder / "**" / "*.heic") == {"c.heic": "c"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*/left.png", {"a/left.png", "b/left.png"}),
        ("a/*/*.png", {"a/c/left.png"}),
        ("**/c/l*.png", {"a/c/left.png", "a/c/d/c/left.png"}),
        ("*/c/d/*/left.png", {"a/c/d/c/left.png"}),
        ("?/**/d/**/*.png", {"a/c/d/c/left.png"}),
        ("*.png", {"left.png"}),
    ],
)
def test_each_part_of_a_pattern_matches_a_part_of_the_path(pattern: str, expected: set[str], tmp_path: Path) -> None:
    for name in ("left.png", "a/left.png", "b/left.png", "a/c/left.png", "a/c/d/c/left.png", "a/right.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_sources([str(tmp_path / pattern)])
    assert {Path(source.name).relative_to(tmp_path).as_posix() for source in found} == expected


def test_a_named_file_is_taken_whatever_its_suffix(folder: Path) -> None:
    assert targets(folder / "notes.txt") == {"notes.txt": "notes"}


def test_a_file_that_is_named_twice_is_taken_once(folder: Path) -> None:
    assert len(find_sources([str(folder / "a.jpg"), str(folder / "*.jpg")])) == 1


def test_no_two_sources_share_a_target(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "x/a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    sources = find_sources([str(tmp_path / "a.jpg"), str(tmp_path / "a.png"), str(tmp_path / "x" / "a.jpg")])
    assert [str(source.target) for source in sources] == ["a.jpg", "a.png", "a.jpg-2"]


def test_standard_input_and_cameras_are_sources() -> None:
    assert find_sources(["-", "0"]) == [Source("-", "image", Path("stdin")), Source("0", "camera", Path("camera0"))]
    assert find_sources([str(2**31 - 1)])[0].kind == "camera"
    with pytest.raises(InputError, match="2147483648 does not exist"):
        find_sources([str(2**31)])


@pytest.mark.parametrize(
    ("text", "message"),
    [("nothing.jpg", "does not exist"), ("*.jpg", "no image or video matches"), (".", "holds no images or videos")],
)
def test_an_input_that_names_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        find_sources([text])


def test_a_path_that_cannot_be_checked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    for call in (
        lambda: find_sources(["x" * 300]),
        lambda: plan_jobs(find_sources([str(tmp_path)]), tmp_path / ("x" * 300)),
    ):
        with pytest.raises(InputError, match=r"x cannot be reached: .+; check its name and rights"):
            call()


def test_a_folder_of_inputs_leaves_its_outputs_out_and_counts_them_once(folder: Path) -> None:
    left: list[LeftOut] = []
    assert len(find_sources([str(folder)], outputs=folder / "depth", on_left_out=left.append)) == 4
    assert [found.outputs for found in left] == [0]
    for name in ("depth/a.png", "depth/sub/c.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    found = find_sources([str(folder), str(folder / "sub")], outputs=folder / "depth", on_left_out=left.append)
    assert not [source for source in found if "depth" in Path(source.name).relative_to(folder).parts]
    assert len(found) == 4 and [found.outputs for found in left] == [0, 2]
    assert len(find_sources([str(folder)], outputs=folder, on_left_out=left.append)) == 6 and left[-1].outputs == 0


def test_a_pattern_leaves_the_outputs_below_it_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "depth").mkdir()
    (folder / "depth" / "x.png").write_bytes(b"")
    monkeypatch.chdir(folder)
    for pattern in ("**/*", f"{folder}/**/*"):
        left: list[LeftOut] = []
        found = find_sources([pattern], outputs=Path("depth"), on_left_out=left.append)
        assert [found.outputs for found in left] == [1] and sorted(source.target.name for source in found) == [
            "a",
            "b",
            "c",
            "clip",
        ]
    assert [source.target for source in find_sources(["depth/*.png"], outputs=Path("depth"))] == [Path("x")]


def test_a_folder_of_nothing_but_outputs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "depth").mkdir()
    (tmp_path / "depth" / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"all images and videos lie in .*depth, the folder of outputs"):
        find_sources([str(tmp_path)], outputs=tmp_path / "depth")


def test_a_camera_index_is_one_only_if_no_file_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1").write_bytes(b"")
    assert [source.kind for source in find_sources(["0", "1", "2147483647"])] == ["camera", "image", "camera"]
    for text in ("2147483648", "-1", "\u0661"):
        with pytest.raises(InputError, match="does not exist; give images, videos, folders, patterns"):
            find_sources([text])


def test_an_existing_file_is_not_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "a[1].jpg").write_bytes(b"")
    (source,) = find_sources([str(tmp_path / "a[1].jpg")])
    assert source.target == Path("a[1]")


@pytest.mark.parametrize("kind", ["file", "symbolic link", "hard link"])
def test_a_source_is_not_replaced_under_any_of_its_names(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "a.jpg", tmp_path / "b.png"
    path.write_bytes(b"")
    if kind == "symbolic link":
        other.symlink_to(path)
    elif kind == "hard link":
        other.hardlink_to(path)
    else:
        other = tmp_path / "x" / ".." / "a.jpg"
        (tmp_path / "x").mkdir()
    with pytest.raises(InputError, match=r"would be replaced by a picture; give another place with --picture"):
        refuse_to_replace([tmp_path / "new", other], find_sources([str(path)]), by="a picture", option="--picture")


def test_new_files_cameras_and_standard_input_replace_nothing(tmp_path: Path) -> None:
    refuse_to_replace([tmp_path / "new.png"], find_sources(["0", "-"]), by="a picture", option="-o")


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A data set made of links: of the photograph, of a folder, of a folder around it, of nothing."""
    for name in ("in/a.png", "in/deep/b.jpe", "real/c.JFIF", "real/more/d.png", "in/e.jp2", "in/f.CR2"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    links = {"linked": "../real", "again": "../real/more", "a-link.png": "a.png", "loop": "..", "gone.png": "nothing"}
    for name, target in links.items():
        (tmp_path / "in" / name).symlink_to(target)
    (tmp_path / "in" / "deep" / "up").symlink_to("..")
    return tmp_path / "in"


def test_a_folder_of_links_gives_each_real_file_once_and_says_what_it_leaves_out(linked: Path) -> None:
    left: list[LeftOut] = []
    found = find_sources([str(linked)], on_left_out=left.append)
    taken = sorted(Path(source.name).resolve().name for source in found)
    assert taken == ["a.png", "b.jpe", "c.JFIF", "d.png"]
    assert str(left[0]) == (
        "left out: 2 files of a kind that is not read (.cr2 .jp2), "
        "1 link to a file that is taken already (a-link.png), 1 name of a missing or special file (gone.png)"
    )


@pytest.mark.parametrize("pattern", ["**/*", "**", "in/**/*"])
def test_a_pattern_over_a_loop_of_links_gives_each_real_file_once(
    linked: Path, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(linked.parent)
    left: list[LeftOut] = []
    found = find_sources([pattern], on_left_out=left.append)
    assert sorted(Path(source.name).resolve().name for source in found) == ["a.png", "b.jpe", "c.JFIF", "d.png"]
    assert {*left[0].kinds} == {".cr2", ".jp2"}


def test_folders_that_a_pattern_matches_are_walked_as_a_shell_would_have_it(tmp_path: Path) -> None:
    for name in ("day1/a.png", "day1/deep/b.png", "day2/a.png", "night/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_sources([str(tmp_path / "day*")])
    assert [str(source.target) for source in found] == ["a.png", "deep/b", "a.png-2"]


def test_a_folder_of_nothing_but_other_kinds_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jxl").write_bytes(b"")
    with pytest.raises(
        InputError, match=r"holds no images or videos \(left out: 1 file of a kind that is .* \(\.jxl\)\)"
    ):
        find_sources([str(tmp_path)])
    with pytest.raises(InputError, match=r"1 other paths do \(left out: 1 file of a kind that is not read \(\.jxl\)\)"):
        find_sources([str(tmp_path / "*.jxl")])


def test_without_a_listener_what_is_left_out_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.png", "b.psd"):
        (tmp_path / name).write_bytes(b"")
    assert find_images([tmp_path]) == [tmp_path / "a.png"]
    assert caplog.messages == ["depthrt: left out: 1 file of a kind that is not read (.psd)"]


@pytest.mark.parametrize("text", ["", " ", "\t \n"])
def test_an_empty_name_is_not_the_current_folder(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    for find in (find_sources, find_images):
        with pytest.raises(InputError, match=r"input: .* found, which names no file; give a path"):
            find(["a.png", text])


def test_a_pipe_is_refused_before_anything_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a.png is a pipe, expected a plain file; give - and pipe it into standard"):
        find_sources([str(tmp_path / "a.png")])
    with pytest.raises(InputError, match=r"left out: 1 name of a missing or special file \(a.png\)"):
        find_sources([str(tmp_path)])
    with pytest.raises(InputError, match="null is a device, expected a plain file"):
        find_sources([os.devnull])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("photo.mp4", "image"), ("photo", "image"), ("clip.jpg", "video"), ("clip", "video"), ("CLIP.MTS", "video")],
)
def test_a_file_is_an_image_or_a_video_by_its_first_bytes(name: str, kind: str, tmp_path: Path) -> None:
    photo, clip = packed(crop_of_photo(), "JPEG"), b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
    (tmp_path / name).write_bytes(photo if "photo" in name else clip)
    assert [source.kind for source in find_sources([str(tmp_path / name)])] == [kind]
    if "." in name:
        assert [source.kind for source in find_sources([str(tmp_path)])] == [kind]


def test_sources_of_programs_are_no_videos(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "page.ts").write_bytes(b"export const depth = 1\n")
    (tmp_path / "go.mod").write_bytes(b"module depth\n")
    (tmp_path / "clip.ts").write_bytes(b"G" + bytes(187) + b"G" + bytes(187))
    for text in (tmp_path, tmp_path / "*", tmp_path / "**" / "*"):
        assert [Path(source.name).name for source in find_sources([str(text)])] == ["a.png", "clip.ts"]


def test_a_source_has_a_name() -> None:
    with pytest.raises(InputError, match="source: '' found, which names no file"):
        Source("", "image", Path("a"))


def test_inputs_that_overlap_give_each_real_file_once(linked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(linked.parent)
    inputs = ["in", "./in", "real", "in/linked", "in/a.png", "./in/a.png", str(linked / "a.png"), "in/*.png"]
    for order in (inputs, inputs[::-1]):
        found = find_sources(order, on_left_out=lambda left_out: None)
        assert sorted(Path(source.name).resolve().name for source in found) == ["a.png", "b.jpe", "c.JFIF", "d.png"]
    named = find_sources(["in/a.png", "in/a-link.png"])
    assert [source.target.name for source in named] == ["a", "a-link"]  # both were asked for


def test_outputs_that_a_link_leads_to_are_left_out(tmp_path: Path) -> None:
    for name in ("in/a.png", "out/a.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "in" / "all").symlink_to(tmp_path)
    left: list[LeftOut] = []
    found = find_sources([str(tmp_path / "in")], outputs=tmp_path / "out", on_left_out=left.append)
    assert [Path(source.name) for source in found] == [tmp_path / "in" / "a.png"] and left[0].outputs == 1


@pytest.mark.parametrize(
    ("address", "title", "target"),
    [
        ("rtsp://user:p@ss@cam.local:554/live/0", "rtsp://cam.local:554/live/0", "cam.local-live-0"),
        ("http://10.0.0.7/video?pwd=secret&[x]", "http://10.0.0.7/video", "10.0.0.7-video"),
        ("RTSP://cam.local", "RTSP://cam.local", "cam.local"),
    ],
)
def test_an_address_is_a_stream_whose_title_and_target_hold_no_password(address: str, title: str, target: str) -> None:
    (source,) = find_sources([address], outputs=Path("out"))
    assert (source.name, source.kind, source.is_stream) == (address, "camera", True)
    assert (source.title, str(source.target)) == (title, target)
    assert not find_sources(["0"])[0].is_stream


def test_an_address_of_another_kind_is_a_file_that_does_not_exist() -> None:
    with pytest.raises(InputError, match=r"gopher://x does not exist; give .* the address of a stream"):
        find_sources(["gopher://x"])
    with pytest.raises(InputError, match=r"an address with brackets that do not close was found"):
        find_sources(["http://[x/live"])
