"""Images that cannot be read are left out, counted and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_subjects import write_images

from depthrt.engine.errors import InputError
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.readable import find_readable, name_left_out


def test_an_unreadable_image_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    good, bad = write_images(tmp_path, 2)
    bad.write_text("text")
    steps: list[tuple[str, int, int]] = []
    readable, left_out = find_readable([good, bad], on_step=lambda *step: steps.append(step))
    assert readable == [good]
    assert [line.startswith(f"{bad} is left out: ") and line.endswith(".") for line in left_out] == [True]
    assert steps == [("reading images", 0, 2), ("reading images", 1, 2)]


def test_images_that_cannot_be_read_at_all_end_the_run(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("text")
    with pytest.raises(InputError, match=r"none of 1 images can be read; .*bad\.png is left out"):
        find_readable([bad])


def test_no_images_are_all_readable() -> None:
    assert find_readable([]) == ([], [])


def test_many_damaged_images_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    (good,) = write_images(tmp_path, 1)
    bad = [tmp_path / f"bad_{number}.png" for number in range(8)]
    for path in bad:
        path.touch()
    readable, left_out = find_readable([*bad[:4], good, *bad[4:]])
    assert readable == [good]
    assert all(line.startswith(f"{path} is left out: ") for path, line in zip(bad[:5], left_out[:5], strict=True))
    assert left_out[5:] == ["8 of 9 images are left out."]


def test_an_image_over_the_limits_is_left_out(tmp_path: Path) -> None:
    small, large = write_images(tmp_path, 2)
    with pytest.raises(InputError, match="none of 2 images can be read"):
        find_readable([small, large], limits=Limits(max_pixels=1))


def test_nothing_left_out_says_nothing() -> None:
    assert [*name_left_out({}, of=3)] == []
