"""Image and depth files are paired by their layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from depth_datasets import HALF_A_MM, depth_map, known_apart, photo, put

from depthrt.bench.accuracy.ground_truth import open_ground_truth
from depthrt.engine.errors import InputError


@pytest.mark.parametrize(
    ("image", "depth"),
    [
        ("rgb/{}.png", "depth/{}.png"),
        ("images/day/{}.png", "gt/day/{}.npy"),
        ("rgb/{}.png", "depth/{}_depth.png"),
        ("{}.png", "{}_depth.png"),
        ("{}.png", "{}.npy"),
        ("sub/{}.png", "sub/{}-depth.npy"),
    ],
)
def test_folders_of_pairs_are_understood(tmp_path: Path, image: str, depth: str) -> None:
    for seed in range(3):
        put(tmp_path / image.format(f"n{seed}"), photo(seed))
        codes = (depth_map(seed) * 1000).astype(np.uint16)
        put(tmp_path / depth.format(f"n{seed}"), depth_map(seed) if depth.endswith("npy") else codes)
    put(tmp_path / image.format("alone"), photo())
    found = open_ground_truth(tmp_path)
    assert len(found) == 3
    assert (found.cap_m, found.name) == (80.0, tmp_path.name)
    for seed, sample in enumerate(found):
        assert sample.name == image.format(f"n{seed}").removesuffix(".png")
        assert np.array_equal(sample.image, photo(seed))
        assert known_apart(sample.truth, depth_map(seed)) < 2 * HALF_A_MM
    assert found.notes == (
        "1 of 4 photographs have no depth",
        "depth files without a unit are read as metres, whole numbers as 1/1000 m",
    )


def test_a_list_names_its_pairs_from_where_it_lies(tmp_path: Path) -> None:
    put(tmp_path / "a" / "x.png", photo())
    put(tmp_path / "b" / "y.npy", depth_map())
    (tmp_path / "some.txt").write_text("a/x.png b/y.npy\n")
    (sample,) = open_ground_truth(tmp_path / "some.txt")
    assert sample.name == "a/x"
    assert known_apart(sample.truth, depth_map()) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a list of pairs"),
        ("a.png b.npy c", "is not a list of pairs, expected an image and a depth path on each line"),
        ("a.jpg x.depth_meters.hdf5\na.jpg b.npy", "mixes files and hypersim, expected files of one layout"),
        ("a.jpg b.npy", "has 1 depth files, but no image .*a.jpg; add the images"),
    ],
)
def test_lists_that_do_not_work_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        open_ground_truth(tmp_path / "list.txt")
