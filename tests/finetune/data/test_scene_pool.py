"""The pool of scenes: what is rendered and kept, and the batches that are cut from it."""

from __future__ import annotations

import gc
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pool import FARTHEST_M, SHARD, UNCHANGED, pool_source, write_pool

from depthrt.engine.errors import InputError
from depthrt.finetune import default_model
from depthrt.finetune.data import recipe_file, scene_pool
from depthrt.finetune.data.appearance import Appearance
from depthrt.finetune.data.scene_pool import PoolSource, Stage, render_pool
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import VERSION

ROUNDING = 2 / 255  # an image is 8 bits, and the resize and the grading round once more
ASIDE_PX = 0.05  # mean offset of depth from its image, in output pixels; that of a pixel's corner is 0.1 to 0.3
DESCRIPTORS = 256  # that macOS allows a program
MANY = 300  # shards, two descriptors each


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_pool, "SHARD", SHARD)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_pool, "SHARD", SHARD)
        render_pool(directory, 2)
    return directory


def test_a_crop_keeps_image_and_depth_together(tmp_path: Path) -> None:
    batch = pool_source(write_pool(tmp_path)).batch(0)
    inside = torch.isfinite(batch.depth_m)
    shown = batch.images.mean(1) * FARTHEST_M
    away = torch.nn.functional.max_pool2d((~inside).float()[:, None], 5, 1, 2)[:, 0] == 0  # from the sky's edge
    assert (
        float((shown - batch.depth_m)[away].abs().max()) < FARTHEST_M * ROUNDING + 0.1
    )  # the nearest pixel is up to 0.05 m off
    assert 0 < float((~inside).float().mean()) < 0.5
    assert float(batch.inverse()[~inside].abs().max()) == 0


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("size_px", sorted({size for stage in default_model.STAGES for size in stage.sizes_px}))
def test_depth_lies_where_its_image_does(tmp_path: Path, size_px: tuple[int, int], axis: int) -> None:
    ramp = np.mgrid[:192, :256][axis]  # image and depth are the row or the column
    falling = (
        255 - ramp
    )  # a resize of 8 bits rounds down: in the difference of a rising and a falling ramp that cancels
    image = np.stack([ramp, falling, ramp], -1).astype(np.uint8)
    np.save(tmp_path / "images-00000.npy", np.tile(image, (SHARD, 1, 1, 1)))
    np.save(tmp_path / "depth-00000.npy", np.tile((1000 + ramp).astype(np.float16), (SHARD, 1, 1)))
    pool = PoolSource(tmp_path, shards=1, stages=(Stage(0, (size_px,), 32),), seed=0, appearance=UNCHANGED)
    batch = pool.batch(0)
    shown, depth = (batch.images[:, 0] - batch.images[:, 1] + 1) * 127.5, batch.depth_m - 1000
    step = depth.diff(dim=1 + axis).mean((1, 2), keepdim=True)  # source px per output px; negative in mirrored images
    aside = ((depth - shown) / step)[:, 4:-4, 4:-4]  # a resize repeats the edges
    assert abs(float((aside * step.sign()).mean())) < ASIDE_PX


def test_a_batch_depends_only_on_its_number(tmp_path: Path) -> None:
    first, second = pool_source(write_pool(tmp_path)), pool_source(tmp_path)
    for index in (3, 0, 12):
        first.batch(index)
    assert torch.equal(first.batch(5).images, second.batch(5).images)
    assert torch.equal(first.batch(5).depth_m, second.batch(5).depth_m)
    assert not torch.equal(second.batch(5).images.sum((1, 2, 3)), second.batch(25).images.sum((1, 2, 3))[:1])
    assert not torch.equal(second.batch(5).images.mean(), pool_source(tmp_path, seed=1).batch(5).images.mean())


def test_stages_change_size_and_number(tmp_path: Path) -> None:
    pool = pool_source(write_pool(tmp_path))
    assert {tuple(pool.batch(index).images.shape) for index in range(10)} == {(6, 3, 32, 64), (6, 3, 64, 32)}
    assert tuple(pool.batch(10).images.shape) == (3, 3, 64, 64)


def test_crops_are_as_small_as_their_stage_allows(tmp_path: Path) -> None:
    def shares(least: float) -> list[float]:
        stages = (Stage(0, ((56, 70),), 24, least_crop=least),)
        pool = PoolSource(write_pool(tmp_path), shards=2, stages=stages, seed=0, appearance=UNCHANGED)
        down = pool.batch(0).depth_m.diff(dim=1).flatten(1)
        return (torch.where(down.isfinite(), down, torch.nan).nanmean(1) * 28).tolist()  # 28 rows per metre

    assert shares(1.0) == pytest.approx([1.0] * 24, abs=0.02)
    assert min(shares(0.8)) == pytest.approx(0.8, abs=0.05)
    assert min(shares(0.6)) == pytest.approx(0.6, abs=0.06)


def test_images_are_varied_as_strongly_as_their_stage_asks(tmp_path: Path) -> None:
    write_pool(tmp_path)

    def images(variation: float, appearance: Appearance) -> torch.Tensor:
        stages = (Stage(0, ((56, 70),), 24, variation=variation),)
        return PoolSource(tmp_path, shards=2, stages=stages, seed=0, appearance=appearance).batch(0).images

    plain = images(1.0, UNCHANGED)
    changes = [float((images(share, Appearance(jpeg=0)) - plain).abs().mean()) for share in (0.0, 0.5, 1.0)]
    assert changes[0] < ROUNDING < 0.02 < changes[1] < changes[2]


def test_stages_begin_at_the_same_step_whatever_the_number_of_processes(tmp_path: Path) -> None:
    stages = (Stage(0, ((32, 64),), 6), Stage(10, ((64, 64),), 3))
    shared = PoolSource(write_pool(tmp_path), shards=2, stages=stages, batches_a_step=3, seed=0, appearance=UNCHANGED)
    sizes = {index: len(shared.batch(index).images) for index in (27, 28, 29, 30, 31, 32)}
    assert sizes == {27: 6, 28: 6, 29: 6, 30: 3, 31: 3, 32: 3}


def test_a_pool_of_many_shards_needs_few_descriptors(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    one = write_pool(tmp_path / "one", shards=1)
    for shard in range(MANY):
        for kind in ("images", "depth"):
            (tmp_path / f"{kind}-{shard:05d}.npy").symlink_to(one / f"{kind}-00000.npy")
    stages = (Stage(0, ((8, 8),), 2 * MANY),)
    pool = PoolSource(tmp_path, shards=MANY, stages=stages, seed=0, appearance=UNCHANGED)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # closes what other tests left open
    limit = len(list(Path("/dev/fd").iterdir())) + DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, before[1]), before[1]))
    try:
        assert len(pool.batch(0).images) == 2 * MANY
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    pool = pool_source(write_pool(tmp_path, shards=1), shards=3)
    with pytest.raises(InputError, match=r"depth-0000[12]\.npy is missing; render the pool, then resume"):
        pool.batch(0)


def damage(path: Path, how: str) -> None:
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif how == "text":
        path.write_text("no array")
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["images", "depth"])
@pytest.mark.parametrize("how", ["cut", "text", "empty", "pipe"])
def test_a_damaged_shard_is_one_line(kind: str, how: str, tmp_path: Path) -> None:
    if how == "pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes on this system")
    damage(write_pool(tmp_path, shards=1) / f"{kind}-00000.npy", how)
    with pytest.raises(InputError, match=rf"{kind}-00000\.npy .*render the pool") as caught:
        pool_source(tmp_path, shards=1).batch(0)
    assert "\n" not in str(caught.value)


def test_a_pool_is_rendered_once_and_whole_shards_are_kept(rendered: Path) -> None:
    names = sorted(path.name for path in rendered.iterdir())
    assert names == ["depth-00000.npy", "depth-00001.npy", "images-00000.npy", "images-00001.npy", "scenes.json"]
    names.remove("scenes.json")
    before = {name: (rendered / name).stat().st_mtime_ns for name in names}
    seen: list[tuple[int, int]] = []
    render_pool(rendered, 2, on_shard=lambda done, wanted: seen.append((done, wanted)))
    assert seen == [(1, 2), (2, 2)]
    assert before == {name: (rendered / name).stat().st_mtime_ns for name in names}


def test_the_last_shards_of_a_pool_may_be_indoor_scenes_only(tmp_path: Path) -> None:
    render_pool(tmp_path / "pool", 2, first_seed=3, setting="outdoor", indoor_from=1)
    for shard, setting in enumerate(("outdoor", "indoor")):
        seeds, (height_px, width_px) = range(3 + shard * SHARD, 3 + (shard + 1) * SHARD), scene_pool.SIZES_PX[shard]
        scenes = render_scenes(seeds, height_px=height_px, width_px=width_px, setting=setting)
        images = np.load(tmp_path / "pool" / f"images-{shard:05d}.npy")
        assert np.array_equal(images, scenes.image.permute(0, 2, 3, 1).numpy())


@pytest.mark.parametrize("change", [{"setting": "outdoor"}, {"first_seed": 999}, {"indoor_from": 0}])
def test_a_pool_of_other_scenes_is_refused(rendered: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"holds scenes of .* was asked for; choose another folder") as caught:
        render_pool(rendered, 2, **change)
    assert "\n" not in str(caught.value)


def test_a_pool_of_an_older_version_of_the_scenes_is_refused(rendered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_file, "VERSION", VERSION + 1)
    with pytest.raises(InputError, match="choose another folder"):
        render_pool(rendered, 2)


def test_shards_without_a_recipe_are_refused(tmp_path: Path) -> None:
    message = r"has no scenes\.json, .*; choose another folder, or empty this one to render again"
    with pytest.raises(InputError, match=message) as caught:
        render_pool(write_pool(tmp_path), 3)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "depth-00002.npy").exists()


def test_far_depth_is_not_stored_as_the_sky() -> None:
    depth_m = torch.tensor([0.25, 100.0, 1e6, 0.0])
    found = scene_pool.stored_depth(depth_m, torch.tensor([True, True, True, False]))
    assert found.dtype == torch.float16 and found.tolist() == [0.25, 100.0, 65504.0, math.inf]


def test_rendered_shards_hold_images_and_depth_of_one_size(rendered: Path) -> None:
    for shard, size in enumerate(scene_pool.SIZES_PX[:2]):
        images, depth = (np.load(rendered / f"{kind}-{shard:05d}.npy") for kind in ("images", "depth"))
        assert images.shape == (SHARD, *size, 3)
        assert (images.dtype, depth.dtype, depth.shape) == (np.uint8, np.float16, (SHARD, *size))
        assert float(depth.min()) > 0
