from __future__ import annotations

from pathlib import Path

import pytest

from depthrt import InputError
from depthrt.engine.run_files import Output, choose_output
from depthrt.engine.sources import Source, find_sources


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


def test_a_pattern_gives_what_it_matches(folder: Path) -> None:
    assert targets(folder / "**" / "*.heic") == {"c.heic": "c"}


def test_named_files_are_kept_whatever_their_suffix(folder: Path) -> None:
    assert targets(folder / "notes.txt") == {"notes.txt": "notes"}


def test_what_is_named_twice_is_done_once(folder: Path) -> None:
    assert len(find_sources([str(folder / "a.jpg"), str(folder / "*.jpg")])) == 1


def test_no_two_sources_share_a_target(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "x/a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    sources = find_sources([str(tmp_path / "a.jpg"), str(tmp_path / "a.png"), str(tmp_path / "x" / "a.jpg")])
    assert [str(source.target) for source in sources] == ["a.jpg", "a.png", "a.jpg-2"]


def test_standard_input_and_cameras_are_sources() -> None:
    assert find_sources(["-", "0"]) == [Source("-", "image", Path("stdin")), Source("0", "camera", Path("camera0"))]


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


IMAGE = Source("a.jpg", "image", Path("sub/a"))


def test_outputs_mirror_the_inputs(tmp_path: Path) -> None:
    output = choose_output([IMAGE], tmp_path, formats=["color", "npz", "color"])
    assert list(output.paths(IMAGE.target)) == [tmp_path / "sub" / "a.png", tmp_path / "sub" / "a.npz"]


def test_a_single_image_can_go_to_a_named_file(tmp_path: Path) -> None:
    output = choose_output([IMAGE], tmp_path / "depth.exr", formats=["color"])
    assert output == Output(tmp_path, (), file=tmp_path / "depth.exr")
    assert list(output.paths(IMAGE.target)) == [tmp_path / "depth.exr"]


@pytest.mark.parametrize(
    ("sources", "name", "value_range", "message"),
    [
        ([IMAGE, IMAGE], "depth.png", None, "names a file"),
        ([IMAGE], "depth.xyz", None, "xyz"),
        ([IMAGE], "depth", (5.0, 5.0), "lower value first"),
    ],
)
def test_an_output_that_cannot_be_is_refused(
    tmp_path: Path, sources: list[Source], name: str, value_range: tuple[float, float] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        choose_output(sources, tmp_path / name, formats=["color"], value_range=value_range)
