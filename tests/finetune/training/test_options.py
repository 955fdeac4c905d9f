"""Options that make no sense are refused by name, and a resumed training keeps those that matter."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
import pytest
from hostile_values import HOSTILE

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.finetune.training.options import RESUMABLE, TrainOptions, read_options


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"steps": 0}, r"options\.steps is 0, expected a whole number from 1 to 1099511627776; correct the option"),
        ({"learning_rate": -1.0}, r"learning_rate is -1\.0, expected a finite number above 0"),
        ({"warmup_steps": -1}, "warmup_steps is -1, expected a whole number from 0 to 1099511627776"),
        ({"average_decay": 1.0}, r"average_decay is 1\.0, expected a finite number from 0 to below 1"),
        ({"steps": 10, "hold_steps": 10}, "hold_steps is 10, expected below the 10 steps"),
        ({"patience": 0}, "patience is 0, expected a whole number from 1 to 1048576 or null"),
        ({"decay_power": -1.0}, r"decay_power is -1\.0, expected a finite number of 0 or more"),
        ({"learning_rate": math.inf}, "learning_rate is inf, expected a finite number above 0"),
        ({"encoder_factor": math.nan}, "encoder_factor is nan, expected a finite number of 0 or more"),
        ({"steps": 2.5}, r"steps is 2\.5, expected a whole number"),
        ({"steps": True}, "steps is true, expected a whole number"),
        ({"betas": (0.9, 1.0)}, r"betas\[1\] is 1\.0, expected a finite number from 0 to below 1"),
        ({"betas": (0.9,)}, "betas is a list of 1, expected a list of 2"),
        ({"learning_rate": None}, "learning_rate is null, expected a finite number"),
        ({"learning_rate": "1e-3"}, "learning_rate is '1e-3', expected a finite number"),
        ({"betas": 0.9}, r"betas is 0\.9, expected a list of 2"),
        ({"seed": 2**70}, r"seed is a whole number of 71 bits, expected a whole number from 0 to below 2\*\*63"),
        ({"seed": 2**63}, r"seed is 9223372036854775808, expected a whole number from 0 to below 2\*\*63"),
        ({"silog_focus": 2.0}, r"silog_focus is 2\.0, expected a finite number from 0 to 1"),
        ({"clip_norm": math.nan}, "clip_norm is nan, expected a finite number above 0"),
        ({"clip_norm": math.inf, "steps": 0}, "steps is 0, expected a whole number from 1 to 1099511627776"),
        ({"bf16": 1}, "bf16 is 1, expected true or false"),
        ({"freeze_blocks": -1}, "freeze_blocks is -1, expected a whole number from 0 to 1000"),
        ({"layer_decay": 0.0}, r"layer_decay is 0\.0, expected a finite number above 0 and up to 1"),
        ({"freeze_encoder": True, "freeze_decoder": True}, "freeze_decoder is true and so is freeze_encoder"),
        ({"freeze_encoder": True, "lora_rank": 4}, "lora_rank is 4 and freeze_encoder is true, expected one of them"),
        ({"planarity_weight": -0.5}, r"planarity_weight is -0\.5, expected a finite number of 0 or more"),
        ({"judge": "a\nb"}, r"judge is 'a\\nb', expected text of 1 to 255 printable characters"),
    ],
)
def test_impossible_options_are_refused(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        TrainOptions(**bad)
    assert "\n" not in str(caught.value)


def read(found: object) -> tuple[TrainOptions | None, str]:
    """Return saved options, or None and why they are refused."""
    try:
        return read_options(found, name="saved", remedy="start again", failure=ModelFileError), ""
    except ModelFileError as error:
        return None, str(error)


@pytest.mark.parametrize("name", [field.name for field in fields(TrainOptions)])
def test_a_saved_option_is_a_legal_one_or_refused_by_its_name(name: str) -> None:
    for value in HOSTILE:
        taken, answer = read({**asdict(TrainOptions()), name: value})
        if taken is None:
            assert re.fullmatch(rf"saved\.({name}|hold_steps)(\[\d\])? .*, expected .*; start again", answer)
        else:
            found = getattr(taken, name)
            assert type(value) is type(found) or (type(value), type(found)) == (int, float)
            assert found == (float(value) if type(found) is float else value) and (
                value != math.inf or name == "clip_norm"
            )


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "saved is null, expected an object; start again"),
        ({}, r"saved\.accumulate is missing; start again"),
        ({**asdict(TrainOptions()), "lens": 1}, r"saved\.lens is an unknown key; start again"),
    ],
)
def test_saved_options_have_exactly_the_keys_of_options(found: object, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_options(found, name="saved", remedy="start again", failure=ModelFileError)


@pytest.mark.parametrize("options", [TrainOptions(), TrainOptions(clip_norm=math.inf, patience=3, betas=(0.0, 0.5))])
def test_saved_options_are_read_as_they_were(options: TrainOptions) -> None:
    assert read_options(asdict(options), name="saved", remedy="", failure=ModelFileError) == options


def test_numbers_of_numpy_become_plain_ones() -> None:
    options = TrainOptions(steps=np.int64(1), learning_rate=np.float64(1e-3), weight_decay=np.float32(0.5))  # type: ignore[arg-type]
    assert (type(options.steps), type(options.learning_rate), type(options.weight_decay)) == (int, float, float)
    assert options.weight_decay == 0.5


def test_a_gradient_may_be_of_any_length() -> None:
    assert TrainOptions(clip_norm=math.inf).clip_norm == math.inf


@pytest.mark.parametrize("name", [field.name for field in fields(TrainOptions)])
def test_a_resumed_training_has_the_options_that_decide_what_is_learned(name: str) -> None:
    other: dict[str, Any] = {"betas": (0.5, 0.5), "judge": "rmse", "patience": 7}
    before = TrainOptions()
    other |= {field.name: not old for field in fields(before) if isinstance(old := getattr(before, field.name), bool)}
    after = replace(before, **{name: other.get(name, 0.25 if isinstance(getattr(before, name), float) else 7)})
    assert after != before
    if name in RESUMABLE:
        after.check_resumable(before)
    else:
        with pytest.raises(
            InputError, match=rf"{name} is .* and was .* when the run began; give .* again or start a new"
        ):
            after.check_resumable(before)
