"""NYU's .mat names the scenes of its images by references to text, which may be missing or hostile."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from depth_datasets import depth_map, photo

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.nyu import open_nyu, read_nyu
from depthrt.engine.images.limits import DEFAULT_LIMITS

SCENES = ("kitchen_0004", "kitchen_0004", "office_0012")


def write(path: Path, **cells: tuple[str, ...]) -> Path:
    """Write three images, and cells of MATLAB: references to arrays of 16-bit characters."""
    with h5py.File(path, "w") as file:
        file["images"] = np.stack([photo(seed).transpose(2, 1, 0) for seed in range(3)])
        file["rawDepths"] = np.stack([depth_map(seed).T for seed in range(3)])
        for name, texts in cells.items():
            references = []
            for at, text in enumerate(texts):
                file[f"#refs#/{name}{at}"] = np.array([[ord(sign)] for sign in text], np.uint16)
                references.append(file[f"#refs#/{name}{at}"].ref)
            file.create_dataset(name, data=np.array([references], h5py.ref_dtype), dtype=h5py.ref_dtype)
    return path


def test_the_scene_goes_before_its_type(tmp_path: Path) -> None:
    kinds = ("kitchen", "kitchen", "office")
    assert open_nyu(write(tmp_path / "a.mat", scenes=SCENES, sceneTypes=kinds)).scenes == SCENES
    assert open_nyu(write(tmp_path / "b.mat", sceneTypes=kinds)).scenes == kinds
    found = open_ground_truth(tmp_path / "a.mat")
    assert tuple(pair.scene for pair in found.pairs) == SCENES
    assert {(pair.image, pair.depth, pair.mask, pair.split) for pair in found.pairs} == {(None, None, None, None)}


@pytest.mark.parametrize("how", ["none", "too few", "numbers", "of nothing", "long"])
def test_without_usable_names_each_image_is_a_scene(tmp_path: Path, how: str) -> None:
    path = write(tmp_path / "a.mat", **({"scenes": SCENES[:2]} if how == "too few" else {}))
    with h5py.File(path, "a") as file:
        if how == "numbers":
            file["scenes"] = np.arange(3)
        if how == "of nothing":
            file.create_dataset("scenes", (1, 3), h5py.ref_dtype)
        if how == "long":
            file["text"] = np.full(1000, ord("x"), np.uint16)
            file.create_dataset("scenes", data=np.array([file["text"].ref] * 3, h5py.ref_dtype), dtype=h5py.ref_dtype)
    assert open_nyu(path).scenes == ("0001", "0002", "0003")


def test_an_image_is_read_by_its_number(tmp_path: Path) -> None:
    sample = read_nyu(write(tmp_path / "a.mat"), "rawDepths", 2, "0003", DEFAULT_LIMITS)
    assert sample.name == "0003" and sample.regions is None
    assert np.array_equal(sample.image[..., ::-1], photo(2))
    assert np.array_equal(sample.truth.values, depth_map(2))
