"""Figures of a network on held-out scenes: their definition, alignment, caps and pixels that are left out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from depthrt.engine.errors import InputError
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.finetune import default_model
from depthrt.finetune.data.batches import Batch
from depthrt.finetune.data.scene_pool import SHARD, SHARDS_PER_BANK
from depthrt.finetune.evaluation import scene_validation
from depthrt.finetune.evaluation.scene_validation import (
    HELD_OUT_SEED,
    HELD_OUT_TEXTURES,
    SceneValidation,
    depth_figures,
    held_out_scenes,
    measure,
)
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes


def test_held_out_scenes_are_of_seeds_and_textures_that_no_training_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, list[int], int]] = []

    def render(seeds: range, *, texture_seed: int, setting: str, height_px: int, width_px: int) -> Scenes:
        asked.append((setting, list(seeds), texture_seed))
        # In textures that other tests have drawn.
        return render_scenes(seeds, setting=setting, height_px=height_px, width_px=width_px)

    monkeypatch.setattr(scene_validation, "render_scenes", render)
    first, second = held_out_scenes("outdoor", 5, (28, 42), batch=3)
    assert [seeds for _, seeds, _ in asked] == [[HELD_OUT_SEED + k for k in part] for part in ((0, 1, 2), (3, 4))]
    assert {(setting, textures) for setting, _, textures in asked} == {("outdoor", HELD_OUT_TEXTURES)}
    scenes = default_model.SHARDS * SHARD
    assert scenes < HELD_OUT_SEED and scenes // (SHARD * SHARDS_PER_BANK) < HELD_OUT_TEXTURES
    assert (tuple(first.images.shape), tuple(second.images.shape)) == ((3, 3, 28, 42), (2, 3, 28, 42))
    assert 0 <= float(first.images.min()) < float(first.images.max()) <= 1
    assert bool(first.valid.all()) and float(first.depth_m.min()) > 0
    assert bool(first.depth_m.isinf().any())  # the sky


def test_figures_are_those_of_the_definition() -> None:
    truth = torch.tensor([[[1.0, 2.0, 4.0, torch.inf]]]).expand(1, 4, 4)
    depth = torch.tensor([[[1.1, 2.0, 6.0, 3.0]]]).expand(1, 4, 4)
    found, measured = depth_figures(depth, truth, torch.isfinite(truth))
    assert measured == 1
    assert found["abs_rel"] == pytest.approx((0.1 + 0 + 0.5) / 3)
    assert found["rmse_m"] == pytest.approx(((0.01 + 0 + 4) / 3) ** 0.5)
    assert found["delta1"] == pytest.approx(2 / 3)


class Exact(ConvDepth):
    """A network that predicts the truth after another scale and shift."""

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


class Metric(Exact):
    """A network that predicts the same metres for every pixel."""

    max_depth_m: float | None

    def __init__(self, batch: Batch, answer_m: float) -> None:
        super().__init__(batch)
        self.max_depth_m, self.answer = 80.0, torch.full_like(batch.depth_m, answer_m)


def even_batch(depth_m: float, *, count: int = 1) -> Batch:
    depth = torch.full((count, 28, 28), depth_m)
    return Batch(torch.zeros((count, 3, 28, 28)), depth, torch.ones_like(depth, dtype=torch.bool))


def test_metres_are_clamped_to_the_largest_measured_depth() -> None:
    batch = even_batch(10.0)
    assert measure(Metric(batch, 70.0), [batch], 20.0)["abs_rel"] == pytest.approx(1)  # 20 m for 10


def test_images_without_enough_depth_have_no_weight() -> None:
    far, near = even_batch(50.0, count=3), even_batch(10.0)
    near.depth_m[0, 0] = 0.0  # marked as valid, but not measured
    both = Batch(*(torch.cat([getattr(b, name) for b in (far, near)]) for name in ("images", "depth_m", "valid")))
    expected = measure(Metric(near, 15.0), [near], 20.0)
    assert expected["abs_rel"] == pytest.approx(0.5)
    assert measure(Metric(both, 15.0), [both], 20.0) == expected
    network = Metric(near, 15.0)
    network.forward = lambda batch: torch.full((len(batch), 28, 28), 15.0)  # type: ignore[method-assign]
    assert measure(network, [far, near, far], 20.0) == pytest.approx(expected)
    assert measure(network, [even_batch(12.0, count=3), near], 20.0)["abs_rel"] == pytest.approx((3 * 0.25 + 0.5) / 4)


def test_images_without_any_measured_depth_are_refused() -> None:
    far = even_batch(50.0)
    with pytest.raises(InputError, match="no image has 10 pixels of depth up to 20 m; validate on other images"):
        measure(Metric(far, 15.0), [far], 20.0)


@dataclass(frozen=True)
class Sent(Batch):
    """A batch that records the devices that it is moved to."""

    sent: list[torch.device]

    def to(self, device: torch.device) -> Batch:
        self.sent.append(device)
        return self


def test_batches_are_moved_to_the_device_of_the_network() -> None:
    batch, sent = even_batch(10.0), list[torch.device]()
    network = Metric(batch, 10.0).to("meta")
    measure(network, [Sent(batch.images, batch.depth_m, batch.valid, sent)], 20.0)
    assert sent == [torch.device("meta")]
