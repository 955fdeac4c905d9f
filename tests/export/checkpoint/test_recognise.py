"""Family, kind and maximum depth come from options, a record or a name; what remains unknown is an error."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from official_state import REAL, hollow, tiny_config, to_transformers

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.engine.terms import Family
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, read_checkpoint
from depthrt.export.checkpoint.recognise import find_by_path

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"
INDOOR = "depth_anything_v2_metric_hypersim_vits.pth"


V2_OPTIONS = {"family": V2, "kind": "inverse"}
METRIC = {"family": V2, "kind": "metric", "max_depth_m": 10.0}

IDENTIFIED: dict[str, tuple[str, dict[str, Any], tuple[str, str, float | None, str], str]] = {
    "V2 by its name": (
        "depth_anything_v2_vits.pth",
        {},
        (V2, "inverse", None, "Apache-2.0"),
        "The kind is inverse, after the name",
    ),
    "V1 by its name": (
        "depth_anything_vits14.pth",
        {},
        (V1, "inverse", None, "Apache-2.0"),
        "The family is depth-anything-v1, after",
    ),
    "indoor by its name": (
        INDOOR,
        {},
        (V2, "metric", 20.0, "Apache-2.0"),
        "The maximum depth is 20 m, after",
    ),
    "outdoor by its name": (
        "depth_anything_v2_metric_vkitti_vits.pth",
        {},
        (V2, "metric", 80.0, "Apache-2.0"),
        "The maximum depth is 80 m, after",
    ),
    "a repackaged file": (
        "depth_anything_v2_vits_fp16.safetensors",
        {},
        (V2, "inverse", None, "Apache-2.0"),
        "after the name",
    ),
    "options over a name": (
        INDOOR,
        V2_OPTIONS,
        (V2, "inverse", None, "unknown"),
        "The kind is inverse, although the name of the published depth-anything-v2-vits-metric-20m says metric.",
    ),
    "another maximum than the name's": (
        INDOOR,
        {"max_depth_m": 10},
        (V2, "metric", 10.0, "unknown"),
        "The maximum depth is 10 m, although the name",
    ),
    "options without a name": ("mine.pth", METRIC, (V2, "metric", 10.0, "unknown"), ""),
    "options and a name of another encoder": (
        "depth_anything_v2_vitl.pth",
        V2_OPTIONS,
        (V2, "inverse", None, "unknown"),
        "The name means vitl, the tensors are vits",
    ),
}


@pytest.mark.parametrize(("name", "options", "expected", "said"), IDENTIFIED.values(), ids=IDENTIFIED)
def test_options_and_names_say_what_a_checkpoint_is(
    name: str, options: dict[str, Any], expected: tuple[object, ...], said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    torch.save(hollow(REAL["vits"]), path)
    found = read_checkpoint(path, **options)
    assert (found.family, found.kind, found.max_depth_m, found.licence) == expected
    assert said in " ".join(found.remarks)
    assert bool(found.remarks) == bool(said), "what was given is not repeated"


UNIDENTIFIED: dict[str, tuple[str, dict[str, Any], str]] = {
    "nothing known": (
        "mine.pth",
        {},
        "give --family depth-anything-v1|depth-anything-v2 and --kind inverse|metric (metric with --max-depth METRES)",
    ),
    "the kind unknown": ("mine.pth", {"family": V2}, "give --kind inverse|metric"),
    "the family unknown": ("mine.pth", {"kind": "inverse"}, "give --family depth-anything-v1|depth-anything-v2"),
    "the maximum unknown": ("mine.pth", {"family": V2, "kind": "metric"}, "give --max-depth METRES (20 for"),
    "metric over an inverse name": ("depth_anything_v2_vits.pth", {"kind": "metric"}, "give --max-depth METRES"),
    "a maximum over an inverse name": (
        "depth_anything_v2_vits.pth",
        {"max_depth_m": 20},
        "--max-depth 20: {path} is an inverse model after the name",
    ),
    "an inverse maximum": ("mine.pth", V2_OPTIONS | {"max_depth_m": 20}, "--max-depth 20 with --kind inverse"),
    "V1 metric": ("mine.pth", METRIC | {"family": V1}, "the metric models of V1 are ZoeDepth networks"),
    "V1 over a metric name": (INDOOR, {"family": V1}, "the metric models of V1 are ZoeDepth"),
    "a negative maximum": ("mine.pth", METRIC | {"max_depth_m": -1}, "--max-depth -1 found, expected metres above 0"),
    "an infinite maximum": (
        "mine.pth",
        METRIC | {"max_depth_m": float("inf")},
        "--max-depth inf found, expected metres above 0",
    ),
    "an unknown family": (
        "mine.pth",
        {"family": "monodepth"},
        "--family monodepth is unknown; choose one of depth-anything-v1, depth-anything-v2",
    ),
    "an unknown kind": ("mine.pth", {"kind": "relative"}, "--kind relative is unknown; choose one of inverse, metric"),
    "unknown weights": (
        "mine.pth",
        V2_OPTIONS | {"weights": "best"},
        "--weights best is unknown; choose one of auto, raw, ema",
    ),
}


@pytest.mark.parametrize(("name", "options", "fragment"), UNIDENTIFIED.values(), ids=UNIDENTIFIED)
def test_what_is_unknown_or_impossible_is_an_error_that_names_the_options(
    name: str, options: dict[str, Any], fragment: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    torch.save(hollow(REAL["vits"]), path)
    with pytest.raises(InputError) as caught:
        read_checkpoint(path, **options)
    assert fragment.format(path=path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_encoder_that_lost_its_last_blocks_is_not_taken_for_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "depth_anything_v2_vits.pth"
    torch.save(hollow(replace(REAL["vits"], depth=9)), path)
    with pytest.raises(ModelFileError, match=r"which is vits, but its tensors are vit384x9; give --family and --kind"):
        read_checkpoint(path)
    assert describe_checkpoint(path).official_name is None
    (said,) = read_checkpoint(path, family=V2, kind="inverse").remarks[-1:]
    assert said == "No published encoder has 9 blocks: the head is taken to read blocks 2, 4, 6, 9."


def test_a_name_that_means_another_encoder_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "depth_anything_v2_vitb.pth"
    torch.save(hollow(REAL["vits"]), path)
    with pytest.raises(ModelFileError, match=r"which is vitb, but its tensors are vits; give --family and --kind"):
        read_checkpoint(path, family=V2)
    assert describe_checkpoint(path).official_name is None


@pytest.mark.parametrize(
    "place", ["Depth-Anything-V2-Base-hf", "models--depth-anything--Depth-Anything-V2-Base-hf/snapshots/5426e4"]
)
def test_a_folder_of_the_hub_is_known_by_its_name(place: str, tmp_path: Path) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    torch.save(to_transformers(hollow(REAL["vitb"])), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(
        json.dumps(tiny_config(backbone={"num_attention_heads": 12, "out_indices": [3, 6, 9, 12]}))
    )
    found = read_checkpoint(folder)
    assert (found.family, found.kind, found.licence) == (V2, "inverse", "CC-BY-NC-4.0")
    assert "The family is depth-anything-v2, after config.json." in found.remarks
    assert describe_checkpoint(folder).official_name == "depth-anything-v2-vitb"


@pytest.mark.parametrize(("name", "is_known"), [("model.safetensors", True), ("mine.safetensors", False)])
def test_a_folder_names_only_the_files_that_every_folder_of_the_hub_has(name: str, is_known: bool) -> None:
    claim, entry = find_by_path(Path("Depth-Anything-V2-Small-hf") / name, REAL["vits"])
    assert (claim is not None, entry is not None) == (is_known, is_known)


def test_an_unclear_licence_is_said(tmp_path: Path) -> None:
    path = tmp_path / "depth_anything_v2_metric_vkitti_vitb.pth"
    torch.save(hollow(REAL["vitb"]), path)
    found = read_checkpoint(path)
    assert found.licence == "CC-BY-NC-4.0"
    assert "the model card says Apache-2.0" in found.remarks[-1]
