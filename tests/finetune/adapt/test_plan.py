"""A plan: the user's wishes go before a preset, and that before defaults that fit the data."""

from __future__ import annotations

from typing import Any

import pytest

from depthrt.engine.errors import InputError
from depthrt.finetune.adapt.plan import Plan, Wishes, make_plan, read_freeze
from depthrt.finetune.adapt.presets import BY_NAME, PRESETS, PresetName

SIZE = 518  # of Depth Anything


def plan(pairs: int = 100, marked: int = 40, **wishes: Any) -> Plan:  # noqa: ANN401 (fields of Wishes)
    return make_plan(Wishes(**wishes), pairs=pairs, marked=marked, size_px=SIZE)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_holds_the_study_s_parameters(preset: PresetName) -> None:
    found = plan(preset=preset)
    assert (found.size_px, found.batch, found.epochs) == (518, 1, 48)
    rates = found.options.learning_rate, found.options.learning_rate * found.options.encoder_factor
    assert rates == pytest.approx((5e-5, 5e-6))
    assert BY_NAME[preset].max_depth_m == (80 if preset == "outdoor-art" else 20)
    assert found.options.planarity_weight > 0 and found.options.distillation_weight > 0
    assert found.options.recompute and found.options.average_decay == 0
    assert len(BY_NAME[preset].differences) == len(set(BY_NAME[preset].differences)) > 5


def test_wishes_go_before_the_preset() -> None:
    found = plan(preset="mirror", epochs=2, batch=3, size_px=140, distillation_weight=0.0, recompute=False, seed=7)
    assert (found.size_px, found.batch, found.epochs) == (140, 3, 2)
    assert (found.options.distillation_weight, found.options.recompute, found.options.seed) == (0.0, False, 7)
    assert found.options.planarity_weight == BY_NAME["mirror"].planarity_weight


def test_steps_follow_from_epochs_pairs_and_images_of_a_step() -> None:
    assert plan(pairs=100, epochs=3, batch=4).options.steps == 75
    assert plan(pairs=101, epochs=3, batch=4).options.steps == 78
    assert plan(pairs=100, epochs=3, batch=4, accumulate=5).options.steps == 15
    shared = make_plan(Wishes(epochs=3, batch=4), pairs=100, marked=0, size_px=SIZE, processes=5)
    assert shared.options.steps == 15
    few, longer = plan(pairs=8, epochs=2).options, plan(pairs=8, epochs=9).options
    assert few.warmup_steps == 1 and few.validate_every == 4
    longer.check_resumable(few)


def test_data_without_flat_regions_are_learned_as_they_are() -> None:
    found = plan(marked=0)
    assert (found.options.planarity_weight, found.options.distillation_weight, found.clean_share) == (0.0, 0.0, None)
    flat = plan(marked=1)
    assert flat.options.planarity_weight > 0 and flat.options.distillation_weight > 0 and flat.clean_share == 0.25


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, (False, False, 0)),
        ("encoder", (True, False, 0)),
        ("decoder", (False, True, 0)),
        ("12", (False, False, 12)),
    ],
)
def test_what_is_frozen_is_read(text: str | None, expected: tuple[bool, bool, int]) -> None:
    assert read_freeze(text) == expected


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"preset": "cave"}, "preset 'cave' found, expected one of mirror, indoor-art, outdoor-art"),
        ({"freeze": "head"}, "freeze 'head' found, expected encoder, decoder, or the number of blocks"),
        ({"freeze": "-1"}, "freeze '-1' found, expected encoder, decoder"),
        ({"epochs": 0}, "epochs is 0, expected 1 or more"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0, expected a finite number above 0"),
        ({"freeze": "encoder", "lora_rank": 4}, "lora_rank is 4 and freeze_encoder is true"),
    ],
)
def test_wishes_out_of_range_are_named(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(**wishes)
