"""A folder of augmented frames knows its recipe and takes no frames of another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from depthrt import InputError
from depthrt.finetune.augment.recipe import RECIPE_NAME, Recipe, hash_of, keep_recipe

RECIPE = Recipe(hash_of(["a", "b"]), None, (0.5, 0.25, 0.25), 2, 7, False)


def test_the_same_recipe_and_more_copies_are_taken(tmp_path: Path) -> None:
    for recipe in (RECIPE, RECIPE, replace(RECIPE, copies=3)):
        keep_recipe(tmp_path / "new", recipe)
    with pytest.raises(InputError, match="copies 3, 2 was asked for"):
        keep_recipe(tmp_path / "new", RECIPE)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": 8}, "with seed 7, 8 was asked for; choose another folder"),
        ({"shares": (1.0, 0.0, 0.0)}, "with shares"),
        ({"study": True}, "with study"),
        ({"source": hash_of(["a"])}, "of other data set's pairs"),
        ({"pictures": hash_of(["c"])}, "of other pictures"),
    ],
)
def test_another_recipe_is_refused(tmp_path: Path, changed: dict[str, object], words: str) -> None:
    keep_recipe(tmp_path, RECIPE)
    with pytest.raises(InputError, match=words):
        keep_recipe(tmp_path, replace(RECIPE, **changed))  # type: ignore[arg-type]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=f"has no {RECIPE_NAME}"):
        keep_recipe(tmp_path, RECIPE)


def test_a_damaged_recipe_is_one_line(tmp_path: Path) -> None:
    (tmp_path / RECIPE_NAME).write_text('{"format": 1, "seed": "x"}')
    with pytest.raises(InputError, match=r"augment\.json"):
        keep_recipe(tmp_path, RECIPE)


def test_names_are_told_apart() -> None:
    assert hash_of(["a", "b"]) != hash_of(["ab"]) != hash_of(["b", "a"])
