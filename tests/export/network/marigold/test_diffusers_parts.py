"""The parts are diffusers' own, and their absence names the extra."""

from __future__ import annotations

import sys

import pytest
import torch
from made_marigold import TINY_UNET, TINY_VAE, tiny_parts

from depthrt.engine.errors import BackendUnavailable
from depthrt.export.network.marigold.diffusers_parts import make_unet, make_vae


def test_sizes_make_the_tensors_that_diffusers_saves() -> None:
    for made, expected in zip((make_unet(TINY_UNET, 4), make_vae(TINY_VAE)), tiny_parts()[:2], strict=True):
        shapes = {name: tensor.shape for name, tensor in expected.state_dict().items()}
        assert {name: tensor.shape for name, tensor in made.state_dict().items()} == shapes


def test_no_memory_is_taken_on_the_meta_device() -> None:
    with torch.device("meta"):
        assert all(tensor.is_meta for tensor in make_unet(TINY_UNET, 4).state_dict().values())


def test_without_diffusers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(BackendUnavailable, match=r"diffusers.*; install it with: pip install 'depthrt\[marigold\]'"):
        make_unet(TINY_UNET, 4)
