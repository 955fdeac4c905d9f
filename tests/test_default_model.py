"""The pool of scenes, the figures and the course of the default model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from depthrt.engine.errors import InputError
from depthrt.export.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.network import ConvDepth, fold_norms
from depthrt.finetune import default_model, scene_pool
from depthrt.finetune.appearance import Appearance
from depthrt.finetune.batches import Batch
from depthrt.finetune.evaluate import SceneValidation, depth_figures, held_out_scenes, measure
from depthrt.finetune.scene_pool import PoolSource, Stage, render_pool
from depthrt.finetune.train import train
from depthrt.finetune.training_state import STATE_NAME

SHARD = 4  # scenes in a file of these tests
AS_IT_IS = Appearance(
    exposure_stops=0,
    gamma=0,
    contrast=0,
    saturation=0,
    white_balance=0,
    hue_turns=0,
    vignette=0,
    blur=0,
    motion=0,
    defocus=0,
    noise=0,
    grey=0,
    rescale=0,
    jpeg=0,
    sharpen=0,
)
ROUNDING = 2 / 255  # a picture is 8 bits, and the resize and the grading round once more


@pytest.fixture(autouse=True)
def _small_and_single(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(scene_pool, "SHARD", SHARD)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_pool, "SHARD", SHARD)
        render_pool(directory, 2)
    return directory


def written_pool(directory: Path, *, shards: int = 2) -> Path:
    """Write scenes whose picture is their depth: grey of depth / 10 m, sky white."""
    for shard in range(shards):
        rows, columns = np.mgrid[:56, :70].astype(np.float32)
        depth_m = np.stack([1 + shard + scene + rows / 28 + columns / 70 for scene in range(SHARD)])
        grey = np.round(depth_m / 10 * 255).astype(np.uint8)
        depth_m[:, :10], grey[:, :10] = np.inf, 255
        np.save(directory / f"images-{shard:05d}.npy", np.repeat(grey[..., None], 3, axis=3))
        np.save(directory / f"depth-{shard:05d}.npy", depth_m.astype(np.float16))
    return directory


def source(directory: Path, *, seed: int = 0, shards: int = 2) -> PoolSource:
    stages = (Stage(0, ((32, 64), (64, 32)), 6), Stage(10, ((64, 64),), 3))
    return PoolSource(directory, shards=shards, stages=stages, seed=seed, appearance=AS_IT_IS)


def test_a_cut_keeps_picture_and_depth_together(tmp_path: Path) -> None:
    batch = source(written_pool(tmp_path)).batch(0)
    inside = torch.isfinite(batch.depth_m)
    shown = batch.images.mean(1) * 10
    away = torch.nn.functional.max_pool2d((~inside).float()[:, None], 5, 1, 2)[:, 0] == 0  # from the sky's edge
    assert float((shown - batch.depth_m)[away].abs().max()) < 10 * ROUNDING + 0.1  # a nearest pixel is up to 0.05 m off
    assert 0 < float((~inside).float().mean()) < 0.5
    assert float(batch.inverse()[~inside].abs().max()) == 0


def test_a_batch_depends_on_its_number_alone(tmp_path: Path) -> None:
    first, second = source(written_pool(tmp_path)), source(tmp_path)
    for index in (3, 0, 12):
        first.batch(index)
    assert torch.equal(first.batch(5).images, second.batch(5).images)
    assert torch.equal(first.batch(5).depth_m, second.batch(5).depth_m)
    assert not torch.equal(second.batch(5).images.sum((1, 2, 3)), second.batch(25).images.sum((1, 2, 3))[:1])
    assert not torch.equal(second.batch(5).images.mean(), source(tmp_path, seed=1).batch(5).images.mean())


def test_stages_change_size_and_number(tmp_path: Path) -> None:
    pool = source(written_pool(tmp_path))
    assert {tuple(pool.batch(index).images.shape) for index in range(10)} == {(6, 3, 32, 64), (6, 3, 64, 32)}
    assert tuple(pool.batch(10).images.shape) == (3, 3, 64, 64)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    pool = source(written_pool(tmp_path, shards=1), shards=3)
    with pytest.raises(InputError, match=r"depth-0000[12]\.npy is not there; render the pool, then resume"):
        pool.batch(0)


def test_a_pool_is_rendered_once_and_whole_shards_are_kept(rendered: Path) -> None:
    names = sorted(path.name for path in rendered.iterdir())
    assert names == ["depth-00000.npy", "depth-00001.npy", "images-00000.npy", "images-00001.npy"]
    before = {name: (rendered / name).stat().st_mtime_ns for name in names}
    told: list[tuple[int, int]] = []
    render_pool(rendered, 2, on_shard=lambda done, wanted: told.append((done, wanted)))
    assert told == [(1, 2), (2, 2)]
    assert before == {name: (rendered / name).stat().st_mtime_ns for name in names}


def test_rendered_shards_hold_pictures_and_depth_of_one_size(rendered: Path) -> None:
    for shard, size in enumerate(scene_pool.SIZES_PX[:2]):
        images, depth = (np.load(rendered / f"{kind}-{shard:05d}.npy") for kind in ("images", "depth"))
        assert images.shape == (SHARD, *size, 3)
        assert (images.dtype, depth.dtype, depth.shape) == (np.uint8, np.float16, (SHARD, *size))
        assert float(depth.min()) > 0


def test_held_out_scenes_are_not_those_of_training(rendered: Path) -> None:
    held_out = held_out_scenes("indoor", 2, (28, 42))[0]
    assert tuple(held_out.images.shape) == (2, 3, 28, 42)
    assert bool(held_out.valid.all())
    assert float(held_out.depth_m.min()) > 0


def test_figures_are_those_of_the_definition() -> None:
    truth = torch.tensor([[[1.0, 2.0, 4.0, torch.inf]]]).expand(1, 4, 4)
    depth = torch.tensor([[[1.1, 2.0, 6.0, 3.0]]]).expand(1, 4, 4)
    found = depth_figures(depth, truth, torch.isfinite(truth))
    assert found["abs_rel"] == pytest.approx((0.1 + 0 + 0.5) / 3)
    assert found["rmse_m"] == pytest.approx(((0.01 + 0 + 4) / 3) ** 0.5)
    assert found["delta1"] == pytest.approx(2 / 3)


class Exact(ConvDepth):
    """Answers with the truth under a scale and shift of its own."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(default_model.ARCHITECTURE)
        self.answer = batch.inverse() * 3 + 2

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.answer


def test_a_right_answer_of_any_scale_and_shift_has_no_error() -> None:
    depth_m = torch.rand((2, 28, 28), generator=torch.Generator().manual_seed(0)) * 8 + 1
    depth_m[0, :4] = torch.inf
    batch = Batch(torch.zeros((2, 3, 28, 28)), depth_m, torch.ones_like(depth_m, dtype=torch.bool))
    exact = Exact(batch)
    assert measure(exact, [batch], 20.0)["abs_rel"] == pytest.approx(0, abs=1e-4)
    figures = SceneValidation({"indoor": [batch], "outdoor": [batch]}).measure(exact)
    assert figures["outdoor_delta1"] == pytest.approx(1)
    assert set(figures) == {f"{s}_{name}" for s in ("indoor", "outdoor") for name in ("abs_rel", "rmse_m", "delta1")}


def test_first_weights_are_those_of_their_seed_and_answer_near_one() -> None:
    networks = [default_model.first_network(7) for _ in range(2)]
    first, second = (network.state_dict() for network in networks)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    other = default_model.first_network(8).state_dict()
    assert not torch.equal(first["pretrained.stem.0.convolution.weight"], other["pretrained.stem.0.convolution.weight"])
    image = torch.randn((2, 3, 96, 128), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        answer = networks[0].train()(image)
    assert 0.2 < float(answer.median()) < 3
    assert float(answer.std()) > 0.01


def test_a_training_of_the_default_model_becomes_a_small_checkpoint(tmp_path: Path) -> None:
    network = default_model.first_network(0)
    options = replace(default_model.OPTIONS, steps=1, hold_steps=0)
    (tmp_path / "pool").mkdir()
    train(network, source(written_pool(tmp_path / "pool")), None, options, tmp_path / "run", quiet=True)
    path = tmp_path / "default.safetensors"
    default_model.write_default(tmp_path / "run", path)
    facts = describe_checkpoint(path)
    assert (facts.dtypes, facts.family, facts.kind, facts.licence, facts.notes) == (
        ("float16",),
        "depthrt",
        "inverse",
        "Apache-2.0",
        {"step": "1"},
    )
    assert path.stat().st_size < 20e6
    averaged = ConvDepth(default_model.ARCHITECTURE, norms=True)
    averaged.load_state_dict(torch.load(tmp_path / "run" / STATE_NAME, weights_only=True)["average"])
    expected = fold_norms(averaged).half().float().state_dict()
    found = load_network(read_checkpoint(path)).state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
