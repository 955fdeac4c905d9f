"""Runs: models of each kind beside the baselines, failures, names, intervals, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny_model import TinyModel

from depthrt.bench.subjects.baselines import CONSTANT, GRADIENT
from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.engine.errors import InputError
from depthrt.finetune.probes.catalog import PROBES
from depthrt.finetune.probes.run import Probed, probe_models, score

BASELINES = (CONSTANT, GRADIENT)
SMALL: dict[str, Any] = {
    "count": 2,
    "threads": 1,
    "probes": [probe for probe in PROBES if probe.name in ("split", "light")],
    "size_px": (120, 160),
}


@pytest.fixture(scope="module")
def probed(tiny: TinyModel, tiny_metric: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Probed:
    """A run of an inverse model, a metric one, a copy of its name, and a damaged checkpoint."""
    folder = tmp_path_factory.mktemp("models")
    again = Path(shutil.copy(tiny_metric.onnx, folder / "tiny.onnx"))
    (folder / "broken.pth").write_bytes(b"x")
    return probe_models([tiny.onnx, again, folder / "broken.pth"], **SMALL)


def test_every_model_has_a_score_on_every_probe_and_a_damaged_one_has_its_reason(probed: Probed) -> None:
    models = {model.name: model for model in probed.report.models}
    assert [*models] == ["tiny.onnx", "tiny.onnx (2)", "broken.pth", *BASELINES]
    broken = models.pop("broken.pth")
    assert broken.failure and not broken.scores
    for name, model in models.items():
        assert not model.failure and model.baseline == (name in BASELINES)
        assert [*model.scores] == ["split", "light"]
        for found in model.scores.values():
            assert len(found.scenes) == 2 and 0 <= found.mean.low <= found.mean.value <= found.mean.high <= 1
    assert models["tiny.onnx"].facts["runner"] and models["constant"].scores["split"].mean.value == 0
    assert models["constant"].scores["light"].mean.value == 1


def test_the_strip_has_a_row_for_each_picture_of_the_first_scenes(probed: Probed) -> None:
    found = [(row.probe, row.picture) for row in probed.rows]
    assert found == [("split", ""), ("light", "picture 1 of 2"), ("light", "picture 2 of 2")]
    for row in probed.rows:
        assert set(row.found) == set(row.figures) == {"tiny.onnx", "tiny.onnx (2)", *BASELINES}
        assert {one.shape for one in row.found.values()} == {(120, 160)}


def test_a_run_says_its_settings_and_reports_its_steps(tiny: TinyModel) -> None:
    steps: list[tuple[str, int, int]] = []
    options = SMALL | {"count": 1, "probes": SMALL["probes"][:1]}
    found = probe_models([tiny.onnx], **options, on_step=lambda *step: steps.append(step))
    assert steps == [("loading", 0, 1), ("probes", 0, 1)]
    assert found.report.settings["scenes of each probe"] == "1" and found.report.settings["pictures"] == "120x160"


def test_a_checkpoint_is_scored_as_the_file_made_of_it(tiny: TinyModel) -> None:
    options = SMALL | {"count": 1, "probes": SMALL["probes"][:1]}
    checkpoint = CheckpointOptions(126, "depth-anything-v2", "inverse")
    found = probe_models([tiny.checkpoint, tiny.onnx], **options, checkpoint=checkpoint).report.models
    first, second = (model.scores["split"].mean.value for model in found[:2])
    assert first == pytest.approx(second, abs=0.02)  # torch and the runtime of the file add up in another order


@pytest.mark.parametrize(("models", "count"), [([], 1), (["a.onnx"], 0)])
def test_nothing_to_score_is_refused(models: list[str], count: int) -> None:
    with pytest.raises(InputError, match="expected one of each at least"):
        probe_models(models, count=count)


def test_an_interval_stays_within_0_and_1_and_narrows_with_scenes() -> None:
    few, many = score([0.9, 1.0]), score([0.9, 1.0] * 20)
    assert few.mean.value == many.mean.value == pytest.approx(0.95)
    assert 0 <= few.mean.low < many.mean.low and many.mean.high < few.mean.high <= 1
