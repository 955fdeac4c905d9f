"""A config.json of Depth Anything 3's own code is read, and what the network does not compute is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_depth_anything3 import TINY_ANY_VIEW, TINY_SKY, shared_da3, write_folder

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.checkpoint import read_checkpoint
from depthrt.export.families.hub.settings import read_settings
from depthrt.export.network.depth_anything3.architecture import Da3Architecture

PLAIN = {"alt_start": -1, "qknorm_start": -1, "rope_start": -1, "cat_token": False, "name": "vitl"}
TURNED = {"alt_start": 2, "qknorm_start": 2, "rope_start": 2, "cat_token": True}


@pytest.mark.parametrize(("architecture", "net"), [(TINY_SKY, PLAIN), (TINY_ANY_VIEW, TURNED)])
def test_the_settings_of_the_network_are_accepted(
    architecture: Da3Architecture, net: dict[str, object], tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "mine", shared_da3(architecture), model_name="da3-mine", **net)
    assert read_checkpoint(folder, kind="scale").architecture == architecture
    settings = read_settings(folder)
    assert settings is not None and (settings.model_type, settings.model_name) == ("da3", "da3-mine")


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ({"out_layers": [0, 1, 2, 4]}, r"out_layers is \[0, 1, 2, 4\], this version exports \[2, 3, 4, 5\] only"),
        ({"rope_start": 4}, "rope_start is 4, this version exports 2 only"),
        ({"cat_token": False}, "cat_token is false, this version exports true only"),
        ({"alt_start": "4"}, "alt_start"),
    ],
)
def test_another_network_is_refused(net: dict[str, object], message: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", shared_da3(TINY_ANY_VIEW), model_name="da3-mine", **net)
    with pytest.raises(ModelFileError, match=message):
        read_checkpoint(folder)
