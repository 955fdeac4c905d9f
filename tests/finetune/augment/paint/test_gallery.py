"""Pictures come from a folder, or from other frames and painted pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depthrt import InputError
from depthrt.finetune.augment.paint.gallery import SIDE_PX, folder_gallery, frames_gallery

RED_BGR = (10, 20, 230)


def picture_of(number: int) -> np.typing.NDArray[np.uint8]:
    return np.full((40, 900, 3), number * 50 + 20, np.uint8)


def test_a_folder_s_pictures_are_drawn_with_their_colours(tmp_path: Path) -> None:
    (tmp_path / "deep er").mkdir()
    cv2.imwrite(str(tmp_path / "deep er" / "a.png"), np.full((30, 50, 3), RED_BGR, np.uint8))
    name, picture = folder_gallery(tmp_path).draw(np.random.default_rng(0))
    assert name == "deep er/a.png"
    assert (picture == RED_BGR).all()
    assert picture.shape[0] >= 18 and picture.shape[1] >= 30


@pytest.mark.parametrize(("name", "words"), [("nothing", "is no folder"), ("", "has no images")])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        folder_gallery(tmp_path / name)


def test_frames_are_mixed_with_painted_pictures_and_the_own_frame_is_left_out() -> None:
    gallery = frames_gallery(["a", "b", "c"], picture_of)
    rng = np.random.default_rng(0)
    drawn = [gallery.draw(rng, other_than=1) for _ in range(40)]
    names = {name for name, _ in drawn}
    assert {"a", "c"} < names and "b" not in names
    assert any(name.startswith("painted") for name in names)
    assert all(max(picture.shape) <= SIDE_PX for _, picture in drawn)


def test_a_single_frame_gets_painted_pictures_only() -> None:
    gallery = frames_gallery(["a"], picture_of)
    rng = np.random.default_rng(0)
    assert all(gallery.draw(rng, other_than=0)[0].startswith("painted") for _ in range(4))


def test_the_same_seed_draws_the_same() -> None:
    gallery = frames_gallery(["a", "b"], picture_of)
    first, second = (gallery.draw(np.random.default_rng(5)) for _ in range(2))
    assert first[0] == second[0] and (first[1] == second[1]).all()
