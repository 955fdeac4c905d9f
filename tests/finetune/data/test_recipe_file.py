"""The recipe of a folder of scenes: kept, compared, extended, and read strictly."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hostile_values import HOSTILE

from depthrt.engine.errors import InputError
from depthrt.engine.system.field_types import Range
from depthrt.finetune.data import recipe_file
from depthrt.finetune.data.recipe_file import RECIPE_NAME, keep_recipe, resolve_folder
from depthrt.finetune.scenes.scene import VERSION


@dataclass(frozen=True)
class Rooms:
    layout: Literal["rooms"]
    count: Annotated[int, Range(1, 1000)]
    setting: str
    sizes_px: tuple[tuple[int, int], ...]
    indoor_from: int | None = None


@dataclass(frozen=True)
class Streets:
    layout: Literal["streets"]
    seed: int


ROOMS = Rooms("rooms", 3, "indoor", ((192, 256), (256, 192)))
WRITTEN = {"layout": "rooms", "count": 3, "setting": "indoor", "sizes_px": [[192, 256], [256, 192]], "version": VERSION}


def written(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / RECIPE_NAME).read_text())
    return found


def test_a_new_folder_gets_its_recipe_with_the_version_and_without_what_is_not_given(tmp_path: Path) -> None:
    root = keep_recipe(tmp_path / "a" / ".." / "b", ROOMS)
    assert root == tmp_path / "b" and [path.name for path in root.iterdir()] == [RECIPE_NAME]
    assert written(root) == WRITTEN
    keep_recipe(tmp_path / "c", replace(ROOMS, indoor_from=0))
    assert written(tmp_path / "c") == {**WRITTEN, "indoor_from": 0}


@pytest.mark.parametrize("recipe", [ROOMS, replace(ROOMS, indoor_from=7)])
def test_a_folder_of_the_same_recipe_is_used_again(tmp_path: Path, recipe: Rooms) -> None:
    keep_recipe(tmp_path, recipe)
    (tmp_path / "scene").touch()
    before = (tmp_path / RECIPE_NAME).read_bytes()
    assert keep_recipe(tmp_path, recipe) == tmp_path
    assert (tmp_path / RECIPE_NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"setting": "outdoor"}, "holds scenes of setting 'indoor', 'outdoor' was asked for; choose another folder"),
        ({"count": 4}, "holds scenes of count 3, 4 was asked for"),
        ({"indoor_from": 1}, "holds scenes of indoor_from None, 1 was asked for"),
        ({"sizes_px": ((1, 2),)}, r"holds scenes of sizes_px \(\(192, 256\), .*, \(\(1, 2\),\) was asked for"),
    ],
)
def test_a_folder_of_another_recipe_is_refused_by_the_first_difference(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    keep_recipe(tmp_path, ROOMS)
    with pytest.raises(InputError, match=message):
        keep_recipe(tmp_path, replace(ROOMS, **change))
    assert written(tmp_path) == WRITTEN


def test_a_folder_of_another_class_of_scenes_is_refused(tmp_path: Path) -> None:
    keep_recipe(tmp_path, ROOMS)
    with pytest.raises(InputError, match="holds scenes of layout 'rooms', 'streets' was asked for"):
        keep_recipe(tmp_path, Streets("streets", 0))


def test_a_folder_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_recipe(tmp_path, ROOMS)
    monkeypatch.setattr(recipe_file, "VERSION", VERSION + 1)
    with pytest.raises(InputError, match=rf"holds scenes of version {VERSION}, {VERSION + 1} was asked for"):
        keep_recipe(tmp_path, ROOMS)


def test_a_folder_grows_but_does_not_shrink_below_what_it_holds(tmp_path: Path) -> None:
    def is_there(root: Path, index: int) -> bool:
        return (root / str(index)).exists()

    for count in (3, 5):
        keep_recipe(tmp_path, replace(ROOMS, count=count), growing="count", is_there=is_there)
        assert written(tmp_path)["count"] == count
    (tmp_path / "3").touch()
    with pytest.raises(InputError, match="holds 5 scenes, 2 were asked for; ask for as many"):
        keep_recipe(tmp_path, replace(ROOMS, count=2), growing="count", is_there=is_there)
    keep_recipe(tmp_path, replace(ROOMS, count=4), growing="count", is_there=is_there)
    assert written(tmp_path)["count"] == 4


def test_a_folder_of_something_else_is_refused_and_hidden_files_are_nothing(tmp_path: Path) -> None:
    (tmp_path / ".scenes.0123abcd.json").touch()
    keep_recipe(tmp_path, ROOMS)
    (tmp_path / RECIPE_NAME).rename(tmp_path / "other.json")
    with pytest.raises(InputError, match=r"is not empty and has no scenes\.json, .* or empty this one to render again"):
        keep_recipe(tmp_path, ROOMS)


def refusal_of(folder: Path, text: str) -> str:
    """Return the line by which a folder with a recipe of this text is refused."""
    (folder / RECIPE_NAME).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError) as caught:
        keep_recipe(folder, ROOMS, growing="count")
    assert str(caught.value).endswith("; choose another folder") and "\n" not in str(caught.value)
    assert (folder / RECIPE_NAME).read_bytes() == text.encode("utf-8", "surrogatepass")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "scenes.json is not JSON"),
        ("[1]", "scenes.json is not a JSON object"),
        (json.dumps({**WRITTEN, "count": "3"}), "scenes.json.count is '3', expected a whole number from 1 to 1000"),
        (json.dumps({**WRITTEN, "count": 2**70}), "scenes.json is not JSON (an integer has 22 digits)"),
        (json.dumps({**WRITTEN, "count": 2**60}), "scenes.json.count is 1152921504606846976, expected"),
        (json.dumps({**WRITTEN, "sizes_px": [[1]]}), "scenes.json.sizes_px[0] is a list of 1, expected a list of 2"),
        (json.dumps({**WRITTEN, "lens": 1}), "scenes.json.lens is an unknown key"),
        (json.dumps({name: WRITTEN[name] for name in WRITTEN if name != "setting"}), "scenes.json.setting is missing"),
    ],
)
def test_a_damaged_recipe_is_refused_by_its_field(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal_of(tmp_path, text)


@pytest.mark.parametrize("name", WRITTEN)
def test_no_field_takes_a_hostile_value(tmp_path: Path, name: str) -> None:
    for value in HOSTILE:
        refusal_of(tmp_path, json.dumps({**WRITTEN, name: value}))


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file cannot be used \(.*\); choose another folder"):
        keep_recipe(tmp_path / "file", ROOMS)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"loop cannot be used \(.*\); choose another folder"):
        keep_recipe(tmp_path / "loop", ROOMS)
    assert resolve_folder(tmp_path / "x" / "..") == tmp_path
