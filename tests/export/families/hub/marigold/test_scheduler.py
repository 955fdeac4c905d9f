"""Each published scheduler is read, and steps that are not exported are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from made_marigold import make_scheduler, tiny_architecture

from depthrt.engine.errors import ModelFileError
from depthrt.export.families.hub.marigold.scheduler import read_scheduler
from depthrt.export.families.hub.settings import FolderSettings
from depthrt.export.network.marigold.architecture import Variant


def settings(variant: Variant, **changes: object) -> FolderSettings:
    scheduler = make_scheduler(variant)
    found = {**scheduler.config, "_class_name": type(scheduler).__name__, **changes}
    return FolderSettings(Path("folder"), "marigold", {"scheduler": found}, None)


@pytest.mark.parametrize("variant", get_args(Variant))
def test_each_published_scheduler_is_read(variant: Variant) -> None:
    assert read_scheduler(settings(variant)) == tiny_architecture(variant).scheduler


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_class_name": "PNDMScheduler"}, "PNDMScheduler, this version exports the steps of DDIMScheduler and LCMSch"),
        ({"prediction_type": "epsilon"}, "prediction_type is 'epsilon', this version exports 'v_prediction' only"),
        ({"clip_sample": True}, "clip_sample is true, this version exports false only"),
        ({"clip_sample": None}, "clip_sample is true"),
        ({"thresholding": True}, "thresholding is true"),
        ({"trained_betas": [0.1, 0.2]}, "trained_betas is "),
        ({"timestep_spacing": "linspace"}, "timestep_spacing linspace, this version exports leading and trailing only"),
        ({"beta_schedule": "squaredcos_cap_v2"}, "beta_schedule squaredcos_cap_v2, this version exports scaled_linear"),
        ({"beta_start": "a"}, r"config\.beta_start is 'a', expected"),
    ],
)
def test_other_steps_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_scheduler(settings("v1-1", **changes))
