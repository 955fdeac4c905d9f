"""The pool of scenes, the figures and the course of the default model."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from two_processes import Ranks

from depthrt.engine.errors import InputError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.network.conv_depth import ConvDepth, fold_norms
from depthrt.finetune import default_model
from depthrt.finetune.data import recipe_file, scene_pool
from depthrt.finetune.data.appearance import Appearance
from depthrt.finetune.data.batches import Batch
from depthrt.finetune.data.scene_pool import SHARD as SCENES_A_SHARD
from depthrt.finetune.data.scene_pool import PoolSource, Stage, render_pool
from depthrt.finetune.evaluate import SceneValidation, depth_figures, held_out_scenes, measure
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import VERSION
from depthrt.finetune.scenes.settings.compose import SETTINGS
from depthrt.finetune.training.train import train
from depthrt.finetune.training.training_state import STATE_NAME

SHARD = 4  # scenes in a file of these tests
AS_IT_IS = Appearance().milder(0)
ROUNDING = 2 / 255  # a picture is 8 bits, and the resize and the grading round once more
ASIDE_PX = (
    0.05  # of an output pixel that depth may lie beside its picture on average; a pixel's corner is 0.1 to 0.3 off
)
DESCRIPTORS = 256  # that macOS allows a program
CARD = Path(default_model.__file__).parents[1] / "engine" / "modelfile" / "default.md"


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


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("size_px", sorted({size for stage in default_model.STAGES for size in stage.sizes_px}))
def test_depth_lies_where_its_picture_does(tmp_path: Path, size_px: tuple[int, int], axis: int) -> None:
    ramp = np.mgrid[:192, :256][axis]  # the row or column is picture and depth
    falling = 255 - ramp  # a resize of 8 bits rounds down: of one that rises and one that falls nothing is left of it
    picture = np.stack([ramp, falling, ramp], -1).astype(np.uint8)
    np.save(tmp_path / "images-00000.npy", np.tile(picture, (SHARD, 1, 1, 1)))
    np.save(tmp_path / "depth-00000.npy", np.tile((1000 + ramp).astype(np.float16), (SHARD, 1, 1)))
    pool = PoolSource(tmp_path, shards=1, stages=(Stage(0, (size_px,), 32),), seed=0, appearance=AS_IT_IS)
    batch = pool.batch(0)
    shown, depth = (batch.images[:, 0] - batch.images[:, 1] + 1) * 127.5, batch.depth_m - 1000
    step = depth.diff(dim=1 + axis).mean((1, 2), keepdim=True)  # source px an output px; mirrored pictures run back
    aside = ((depth - shown) / step)[:, 4:-4, 4:-4]  # a resize repeats the edges
    assert abs(float((aside * step.sign()).mean())) < ASIDE_PX


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


def test_a_stage_says_how_small_its_crops_may_be(tmp_path: Path) -> None:
    def shares(least: float) -> list[float]:
        stages = (Stage(0, ((56, 70),), 24, least_crop=least),)
        pool = PoolSource(written_pool(tmp_path), shards=2, stages=stages, seed=0, appearance=AS_IT_IS)
        down = pool.batch(0).depth_m.diff(dim=1).flatten(1)
        return (torch.where(down.isfinite(), down, torch.nan).nanmean(1) * 28).tolist()  # 28 rows a metre

    assert shares(1.0) == pytest.approx([1.0] * 24, abs=0.02)
    assert min(shares(0.8)) == pytest.approx(0.8, abs=0.05)
    assert min(shares(0.6)) == pytest.approx(0.6, abs=0.06)


def test_a_stage_says_how_strongly_pictures_are_varied(tmp_path: Path) -> None:
    written_pool(tmp_path)

    def pictures(variation: float, appearance: Appearance) -> torch.Tensor:
        stages = (Stage(0, ((56, 70),), 24, variation=variation),)
        return PoolSource(tmp_path, shards=2, stages=stages, seed=0, appearance=appearance).batch(0).images

    plain = pictures(1.0, AS_IT_IS)
    changes = [float((pictures(share, Appearance(jpeg=0)) - plain).abs().mean()) for share in (0.0, 0.5, 1.0)]
    assert changes[0] < ROUNDING < 0.02 < changes[1] < changes[2]


def test_stages_begin_at_the_same_step_whatever_the_number_of_processes(tmp_path: Path) -> None:
    stages = (Stage(0, ((32, 64),), 6), Stage(10, ((64, 64),), 3))
    shared = PoolSource(written_pool(tmp_path), shards=2, stages=stages, batches_a_step=3, seed=0, appearance=AS_IT_IS)
    sizes = {index: len(shared.batch(index).images) for index in (27, 28, 29, 30, 31, 32)}
    assert sizes == {27: 6, 28: 6, 29: 6, 30: 3, 31: 3, 32: 3}


def test_a_pool_of_many_shards_needs_few_descriptors(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    (tmp_path / "one").mkdir()
    one = written_pool(tmp_path / "one", shards=1)
    for shard in range(default_model.SHARDS):
        for kind in ("images", "depth"):
            (tmp_path / f"{kind}-{shard:05d}.npy").symlink_to(one / f"{kind}-00000.npy")
    stages = (Stage(0, ((32, 64),), 2 * default_model.SHARDS),)
    pool = PoolSource(tmp_path, shards=default_model.SHARDS, stages=stages, seed=0, appearance=AS_IT_IS)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # what other tests left open
    limit = len(list(Path("/dev/fd").iterdir())) + DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, before[1]), before[1]))
    try:
        assert len(pool.batch(0).images) == 2 * default_model.SHARDS
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    pool = source(written_pool(tmp_path, shards=1), shards=3)
    with pytest.raises(InputError, match=r"depth-0000[12]\.npy is not there; render the pool, then resume"):
        pool.batch(0)


def test_a_pool_is_rendered_once_and_whole_shards_are_kept(rendered: Path) -> None:
    names = sorted(path.name for path in rendered.iterdir())
    assert names == ["depth-00000.npy", "depth-00001.npy", "images-00000.npy", "images-00001.npy", "scenes.json"]
    names.remove("scenes.json")
    before = {name: (rendered / name).stat().st_mtime_ns for name in names}
    told: list[tuple[int, int]] = []
    render_pool(rendered, 2, on_shard=lambda done, wanted: told.append((done, wanted)))
    assert told == [(1, 2), (2, 2)]
    assert before == {name: (rendered / name).stat().st_mtime_ns for name in names}


def test_the_last_shards_of_a_pool_may_be_indoors_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_pool, "SHARD", SHARD)
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


def test_shards_that_do_not_say_what_they_are_of_are_refused(tmp_path: Path) -> None:
    message = r"has no scenes\.json .* choose another folder, or empty this one to render again"
    with pytest.raises(InputError, match=message) as caught:
        render_pool(written_pool(tmp_path), 3)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "depth-00002.npy").exists()


def test_the_card_tells_the_recipe_s_scenes() -> None:
    text = " ".join(CARD.read_text(encoding="utf-8").split())
    weights = [(weight, kind in dict(SETTINGS["outdoor"])) for kind, weight in SETTINGS["mixed"]]
    outdoor = sum(weight for weight, outside in weights if outside) / sum(weight for weight, _ in weights)
    scenes, mixed = (shards * SCENES_A_SHARD for shards in (default_model.SHARDS, default_model.MIXED_SHARDS))
    assert f"{scenes:,} procedural scenes" in text
    assert f'seeds 0 to {mixed - 1:,} of the setting "mixed"' in text
    assert f'{mixed:,} to {scenes - 1:,} of "indoor"' in text
    assert f"{1 - outdoor:.0%} indoor".replace("%", " %") in text
    assert f"{outdoor:.0%} outdoor".replace("%", " %") in text
    sizes = [f"{height}x{width}" for height, width in scene_pool.SIZES_PX]
    assert f"a third each of {', '.join(sizes[:-1])} and {sizes[-1]} px" in text


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
    found, judged = depth_figures(depth, truth, torch.isfinite(truth))
    assert judged == 1
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


class Metric(Exact):
    """Answers with metres, all alike."""

    max_depth_m: float | None

    def __init__(self, batch: Batch, answer_m: float) -> None:
        super().__init__(batch)
        self.max_depth_m, self.answer = 80.0, torch.full_like(batch.depth_m, answer_m)


def even_batch(depth_m: float, *, count: int = 1) -> Batch:
    depth = torch.full((count, 28, 28), depth_m)
    return Batch(torch.zeros((count, 3, 28, 28)), depth, torch.ones_like(depth, dtype=torch.bool))


def test_answers_in_metres_are_cut_where_nothing_is_judged() -> None:
    batch = even_batch(10.0)
    assert measure(Metric(batch, 70.0), [batch], 20.0)["abs_rel"] == pytest.approx(1)  # 20 m for 10


def test_pictures_without_enough_depth_have_no_weight() -> None:
    far, near = even_batch(50.0, count=3), even_batch(10.0)
    near.depth_m[0, 0] = 0.0  # nothing measured, marked as if
    both = Batch(*(torch.cat([getattr(b, name) for b in (far, near)]) for name in ("images", "depth_m", "valid")))
    expected = measure(Metric(near, 15.0), [near], 20.0)
    assert expected["abs_rel"] == pytest.approx(0.5)
    assert measure(Metric(both, 15.0), [both], 20.0) == expected
    network = Metric(near, 15.0)
    network.forward = lambda batch: torch.full((len(batch), 28, 28), 15.0)  # type: ignore[method-assign]
    assert measure(network, [far, near, far], 20.0) == pytest.approx(expected)
    assert measure(network, [even_batch(12.0, count=3), near], 20.0)["abs_rel"] == pytest.approx((3 * 0.25 + 0.5) / 4)


def test_pictures_that_say_nothing_at_all_are_refused() -> None:
    far = even_batch(50.0)
    with pytest.raises(InputError, match="no picture has 10 pixels of depth up to 20 m; validate on other ones"):
        measure(Metric(far, 15.0), [far], 20.0)


@dataclass(frozen=True)
class Sent(Batch):
    """A batch that notes where it is sent to, and stays."""

    sent: list[torch.device]

    def to(self, device: torch.device) -> Batch:
        self.sent.append(device)
        return self


def test_pictures_are_brought_to_the_network_s_device() -> None:
    batch, sent = even_batch(10.0), list[torch.device]()
    network = Metric(batch, 10.0).to("meta")
    measure(network, [Sent(batch.images, batch.depth_m, batch.valid, sent)], 20.0)
    assert sent == [torch.device("meta")]


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


def test_two_processes_keep_the_recipe_s_steps_and_only_the_first_writes(two_processes: tuple[Path, Ranks]) -> None:
    folder, ranks = two_processes
    path = folder / "default" / "default.safetensors"
    assert [rank["default"]["written"] for rank in ranks] == [[str(path)], []]
    assert describe_checkpoint(path).notes == {"step": "2"}
    sizes = {int(index): size for rank in ranks for index, size in rank["default"]["sizes"].items()}
    assert [sizes[index] for index in range(4)] == [2, 2, 3, 3]  # two batches a step; the second step is the next stage
