"""Masks beside depth files count, or are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from depth_datasets import SIZE_PX, depth_map, photo, put
from numpy.typing import NDArray
from PIL import Image

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.masks import Masks
from depthrt.bench.datasets.true_depth import TrueDepth
from depthrt.engine.errors import InputError

COUNTS = np.zeros(SIZE_PX, np.bool_)
COUNTS[:, 10:] = True


def save(path: Path, mask: NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez_compressed(path, mask)
        return path
    return put(path, mask if path.suffix == ".npy" else np.repeat(mask[..., None] * np.uint8(255), 3, axis=2))


def only(folder: Path) -> TrueDepth:
    (sample,) = open_ground_truth(folder)
    return sample.truth


@pytest.mark.parametrize(
    ("image", "depth", "mask"),
    [
        ("a.png", "a_depth.npy", "a_depth_mask.npy"),  # DIODE
        ("a.png", "a.npy", "a_mask.npy"),
        ("a.png", "a.npy", "a_valid.npz"),
        ("a.png", "a-depth.npy", "a-mask.npy"),
        ("sub/a.png", "sub/a_depth.npy", "sub/a_valid_mask.npy"),
        ("rgb/a.png", "depth/a.npy", "depth/a_mask.npy"),
        ("rgb/a.png", "depth/a.npy", "mask/a.npy"),
        ("rgb/x/a.png", "depth/x/a_depth.npy", "masks/x/a.npy"),
        ("rgb/a.png", "depth/a.npy", "depth_mask/a_mask.npy"),
        ("rgb/a.png", "depth/a.npy", "Valid/a_depth.npy"),
        ("rgb/a.png", "depth/a.npy", "depth/mask/a.npy"),
        ("rgb/a.png", "depth/a.npy", "rgb/a_mask.npy"),
        ("a.png", "a.npy", "mask_a.npy"),
        ("a.png", "a.npy", "a_mask.png"),
    ],
)
def test_a_mask_decides_which_pixels_count(tmp_path: Path, image: str, depth: str, mask: str) -> None:
    put(tmp_path / image, photo())
    put(tmp_path / depth, depth_map())
    save(tmp_path / mask, COUNTS.astype(np.float32)[..., None] if mask.endswith("npy") else COUNTS)
    found = only(tmp_path)
    assert np.array_equal(found.valid, COUNTS)
    assert found.left_out == {"by masks": int(np.count_nonzero(~COUNTS))}


def test_a_mask_is_no_photograph_without_depth(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a.npy", depth_map())
    Image.fromarray(COUNTS.astype(np.uint8) * 255).save(tmp_path / "a_mask.png")
    found = open_ground_truth(tmp_path)
    assert np.array_equal(next(iter(found)).truth.valid, COUNTS)
    assert not any("photographs have no depth" in note for note in found.notes)


def test_a_list_s_depth_has_its_masks_too(tmp_path: Path) -> None:
    put(tmp_path / "x" / "a.png", photo())
    put(tmp_path / "y" / "b.npy", depth_map())
    save(tmp_path / "y" / "b_mask.npy", COUNTS)
    (tmp_path / "some.txt").write_text("x/a.png y/b.npy\n")
    assert np.array_equal(only(tmp_path / "some.txt").valid, COUNTS)


def test_files_of_other_names_are_no_masks(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a.npy", depth_map())
    for name in ("a_normal.npy", "b_mask.npy", "ab_mask.npy", "a_1_mask.npy", "mask.npy", "a_masked.npy"):
        save(tmp_path / name, COUNTS)
    assert only(tmp_path).valid.all()


@pytest.mark.parametrize(
    "name",
    [
        "a_invalid.npy",
        "a_invalid_mask.npy",
        "a_confidence.npy",
        "a_mask0nocc.npy",
        "mask_invalid/a.npy",
        "sky/a.npy",
        "invalid_a.npy",
    ],
)
def test_a_mask_whose_name_does_not_say_what_counts_is_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path / "rgb" / "a.png", photo())
    put(tmp_path / "depth" / "a.npy", depth_map())
    save(tmp_path / (name if "/" in name else f"depth/{name}"), COUNTS)
    with pytest.raises(InputError, match=r"its name does not say which pixels count; name it a_mask\.npy") as caught:
        only(tmp_path)
    assert name in str(caught.value)


def test_a_folder_above_the_masks_says_what_they_mean(tmp_path: Path) -> None:
    put(tmp_path / "images" / "scene" / "a.png", photo())
    put(tmp_path / "depth" / "scene" / "a.npy", depth_map())
    save(tmp_path / "invalid" / "scene" / "a.npy", COUNTS)  # Sintel's, which marks the pixels that do not count
    with pytest.raises(InputError, match="its name does not say which pixels count"):
        only(tmp_path)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_a_mask_may_be_a_picture_of_every_kind(tmp_path: Path, mode: str) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a.npy", depth_map())
    Image.fromarray(COUNTS.astype(np.uint8) * 255).convert(mode).save(tmp_path / "a_mask.png")
    assert np.array_equal(only(tmp_path).valid, COUNTS)


def test_a_mask_that_jpeg_has_blurred_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a.npy", depth_map())
    blurred = (COUNTS & (np.arange(SIZE_PX[0]) % 3 > 0)[:, None]).astype(np.uint8) * 255
    Image.fromarray(blurred).save(tmp_path / "a_mask.jpg", quality=50)
    with pytest.raises(InputError, match="expected 0 and one other value"):
        only(tmp_path)


def test_masks_outside_the_data_set_are_not_looked_for(tmp_path: Path) -> None:
    put(tmp_path / "data" / "x" / "y" / "a.png", photo())
    put(tmp_path / "data" / "x" / "y" / "a.npy", depth_map())
    save(tmp_path / "mask" / "x" / "y" / "a.npy", COUNTS)
    assert only(tmp_path / "data").valid.all()


def test_two_masks_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a.npy", depth_map())
    save(tmp_path / "a_mask.npy", COUNTS)
    save(tmp_path / "a_valid.npy", ~COUNTS)
    with pytest.raises(InputError, match=r"has the masks .*a_mask\.npy and .*a_valid\.npy, expected one"):
        only(tmp_path)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.arange(SIZE_PX[0] * SIZE_PX[1]).reshape(SIZE_PX), "holds values from 0 to 767, expected 0 and one other"),
        (np.where(COUNTS, 1.0, np.nan), "expected 0 and one other value"),
        (COUNTS[1:], r"mask .* is \(23, 32\), depth a\.npy \(24, 32\), expected one shape"),
        (np.repeat(COUNTS[..., None], 3, axis=2), "expected one shape"),
    ],
)
def test_a_mask_of_another_form_is_refused(tmp_path: Path, mask: NDArray[Any], message: str) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a.npy", depth_map())
    save(tmp_path / "a_mask.npy", mask)
    with pytest.raises(InputError, match=message) as caught:
        only(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".png", ".tif"])
def test_a_damaged_mask_is_one_line(tmp_path: Path, suffix: str) -> None:
    put(tmp_path / "a.png", photo())
    put(tmp_path / "a.npy", depth_map())
    (tmp_path / f"a_mask{suffix}").write_bytes(b"no mask")
    with pytest.raises(InputError, match=r"mask .* cannot be read"):
        only(tmp_path)


def test_a_folder_is_listed_once_for_all_its_depth_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        put(tmp_path / f"{number}.npy", depth_map())
    listed: list[Path] = []
    plain = Path.iterdir

    def iterdir(path: Path) -> Any:  # noqa: ANN401
        listed.append(path)
        return plain(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    masks = Masks(tmp_path)
    assert [masks.find(tmp_path / f"{number}.npy", tmp_path / "a.png") for number in range(20)] == [None] * 20
    assert sorted(listed) == sorted({tmp_path, tmp_path.parent})
