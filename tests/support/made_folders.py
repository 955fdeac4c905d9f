"""Folders of Hugging Face with tiny networks of MiDaS and ZoeDepth, as transformers writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from made_families import tiny_midas
from made_midas_swin import transformers_network as transformers_swin
from random_midas import TINY_HYBRID
from random_zoedepth import shared_zoe
from transformers import BitConfig, DPTConfig, DPTForDepthEstimation, PreTrainedModel
from witness_midas import transformers_network
from witness_zoedepth import transformers_zoe

from depthrt.export.network.network import Network

ENCODERS = ("beit", "vit", "swin2")
_NOTHING: Mapping[str, object] = MappingProxyType({})


def transformers_midas(encoder: str) -> PreTrainedModel:
    """Return transformers' network with the weights of a tiny network."""
    network = tiny_midas(encoder)
    if encoder == "swin2":
        return transformers_swin(network)  # type: ignore[arg-type, return-value]
    return transformers_network(network)  # type: ignore[arg-type]


def transformers_hybrid() -> DPTForDepthEstimation:
    """Return transformers' hybrid with the sizes of the tiny one, and its own random weights."""
    sizes = TINY_HYBRID
    stages = BitConfig(
        embedding_size=sizes.stem,
        hidden_sizes=[*sizes.widths, 2 * sizes.widths[-1]],
        depths=list(sizes.depths),
        layer_type="bottleneck",
        embedding_dynamic_padding=True,
        global_padding="SAME",
        num_groups=32,
        out_features=["stage1", "stage2", "stage3"],  # type: ignore[call-arg]
    )
    torch.manual_seed(0)
    return DPTForDepthEstimation(
        DPTConfig(
            is_hybrid=True,
            backbone_config=stages,
            backbone_featmap_shape=[1, sizes.widths[-1], sizes.table_side, sizes.table_side],
            image_size=sizes.table_side * 16,
            hidden_size=sizes.width,
            num_hidden_layers=sizes.depth,
            num_attention_heads=sizes.heads,
            intermediate_size=sizes.hidden,
            backbone_out_indices=[0, 1, *sizes.taps],
            neck_hidden_sizes=list(sizes.reassembled),
            fusion_hidden_size=sizes.features,
            readout_type="project",
        )
    )


def save_folder(
    network: PreTrainedModel, folder: Path, *, changes: Mapping[str, object] = _NOTHING, newer: bool = False
) -> Path:
    """Write a folder of transformers.

    Args:
        network: Of transformers.
        folder: To write.
        changes: To its config.json; those of "backbone_config" change its values.
        newer: Under the names of transformers 5's modules, and not under those that its files have.
    """
    network.save_pretrained(folder)
    if newer:
        (folder / "model.safetensors").unlink()
        torch.save(network.state_dict(), folder / "pytorch_model.bin")
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for key, value in changes.items():
        config[key] = config[key] | value if key == "backbone_config" else value
    path.write_text(json.dumps(config))
    return folder


def tiny_folder(model: str, folder: Path, **options: object) -> tuple[Path, Network]:
    """Write the folder of a tiny network: an encoder of MiDaS, or "N", "K" or "NK"; return it and the network."""
    if model in ENCODERS:
        return save_folder(transformers_midas(model), folder, **options), tiny_midas(model)  # type: ignore[arg-type]
    network = shared_zoe(model, 10.0 if model == "K" else None)
    return save_folder(transformers_zoe(network), folder, **options), network  # type: ignore[arg-type]
