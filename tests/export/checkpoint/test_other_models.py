"""Networks of other projects are recognised by their tensor names, so that their refusal names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoint_cases import OTHER_MODELS, assert_refused
from checkpoint_files import Write
from official_state import TINY, State, official_shapes, state_of, to_transformers

from depthrt.export.checkpoint.other_models import name_other_model


@pytest.mark.parametrize(("write", "fragment"), OTHER_MODELS.values(), ids=OTHER_MODELS)
def test_a_network_of_another_project_is_refused_by_its_name(write: Write, fragment: str, tmp_path: Path) -> None:
    assert_refused(write, fragment, state_of(TINY), tmp_path)


# Names from the published checkpoints of each project.
@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("base_model.model.pretrained.blocks.0.attn.qkv.lora_A.weight", "a LoRA adapter"),
        ("depth_head.scratch.refinenet1.resConfUnit_depth.0.weight", "Prompt Depth Anything"),
        ("model.da3_metric.backbone.pretrained.cls_token", "Depth Anything 3's nested networks"),
        ("pretrained.model.features.39.norm.weight", "MiDaS dpt_next_vit_large_384"),
        ("pretrained.model.blocks.0.m.qkv.c.weight", "MiDaS dpt_levit_224"),
        ("scratch.stem_transpose.0.c.weight", "MiDaS dpt_levit_224"),
        ("pixel_encoder.cls_token", "UniDepth"),
        ("fov.encoder.0.weight", "Depth Pro"),
        ("depth_model.encoder.patch_embed.proj.weight", "Metric3D"),
        ("down_blocks.0.attentions.0.norm.weight", "a part of a diffusion model"),
        ("embeddings.cls_token", "a DINOv2 encoder"),
        ("module.layer1.0.conv1.weight", "a ResNet"),
    ],
)
def test_a_name_tells_its_project(name: str, label: str) -> None:
    assert (name_other_model(["epoch", name]) or "").startswith(label)


def test_depth_anything_is_not_taken_for_another_model() -> None:
    names = official_shapes(TINY)
    assert name_other_model(names) is None
    theirs: State = to_transformers(state_of(TINY))
    assert name_other_model(theirs) is None


def test_a_part_of_a_model_outranks_the_whole_in_it() -> None:
    adapter = "base_model.model.pretrained.model.features.0.lora_A.weight"
    assert name_other_model([adapter]) == name_other_model(["a.lora_A.weight"])
