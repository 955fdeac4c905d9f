"""Model files of tiny MiDaS and ZoeDepth networks: exported once a test run for all tests that read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
from made_families import State, official_midas, tiny_midas
from random_zoedepth import TINY_ZOE_DEPTH_ANYTHING, random_zoe, tiny_zoe

from depthrt.export.checkpoint.checkpoint import read_checkpoint
from depthrt.export.network.network import Network
from depthrt.export.to_onnx import Exported, export_onnx

Px = tuple[int, int]


@dataclass(frozen=True)
class FamilyFile:
    """A tiny network and the file made of its official file: dynamic, but for Swin and ZoeDepth on Depth Anything.

    Args:
        network: Not to be changed.
        exported: From a file as the official repository saves it.
    """

    network: Network
    exported: Exported


def _midas(name: str) -> tuple[Network, State, None]:
    return tiny_midas(name), official_midas(name), None


STRETCHED_PX = (70, 98)  # static input of ZoeDepth on Depth Anything


def _zoe_on_depth_anything() -> tuple[Network, State, Px]:
    network = random_zoe(TINY_ZOE_DEPTH_ANYTHING)
    return network, dict(network.state_dict()), STRETCHED_PX


def _zoe() -> tuple[Network, State, int]:
    network = random_zoe(replace(tiny_zoe("NK"), attractors=(2, 1, 1, 1)))  # each attractor is six nodes
    return network, dict(network.state_dict()), 96


# Network, what its official file holds, and the size asked for; None for the family's own.
_SOURCES: dict[str, Callable[[], tuple[Network, State, int | Px | None]]] = {
    **{name: partial(_midas, name) for name in ("beit", "swin2", "small")},
    "zoedepth": _zoe,
    "zoedepth on Depth Anything": _zoe_on_depth_anything,
}
FAMILY_FILES = tuple(_SOURCES)
_MADE: dict[str, FamilyFile] = {}


def family_file(name: str, folders: pytest.TempPathFactory) -> FamilyFile:
    """Return a model file by the name of its network, one of FAMILY_FILES."""
    if name not in _MADE:
        network, state, size = _SOURCES[name]()
        folder = folders.mktemp("families")
        torch.save({"model": state}, folder / "official.pt")
        checkpoint = read_checkpoint(folder / "official.pt")
        _MADE[name] = FamilyFile(network, export_onnx(checkpoint, folder / "model.onnx", size=size))
    return _MADE[name]
