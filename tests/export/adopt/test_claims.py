from __future__ import annotations

import json
from pathlib import Path

import onnx_ir
import pytest
from foreign_graphs import Graph, make_graph

from depthrt import ModelFileError
from depthrt.export.adopt.claims import claim_of_config, claim_of_layout, claim_of_names
from depthrt.export.adopt.graph.layout import Layout, read_layout


def layout_of(graph: Graph) -> Layout:
    return read_layout(onnx_ir.from_proto(make_graph(graph)), "theirs.onnx")


@pytest.mark.parametrize(
    ("config", "family", "kind", "max_depth_m"),
    [
        ({"model_type": "depth_anything"}, None, "inverse", None),
        ({"model_type": "depth_anything", "max_depth": 1}, None, "inverse", None),
        ({"model_type": "depth_anything", "depth_estimation_type": "metric", "max_depth": 20}, None, "metric", 20),
        ({"model_type": "dpt", "hidden_size": 768}, "midas", "inverse", None),
        ({"model_type": "zoedepth"}, "zoedepth", "metric", None),
        ({"model_type": "glpn", "max_depth": 10}, None, "metric", 10),
    ],
)
def test_a_config_says_what_the_output_means(
    config: dict[str, object], family: str | None, kind: str, max_depth_m: float | None, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    claim, model_type = claim_of_config(tmp_path)
    assert claim is not None and model_type == config["model_type"]
    assert (claim.family, claim.kind, claim.max_depth_m) == (family, kind, max_depth_m)


def test_a_config_of_another_model_claims_nothing(tmp_path: Path) -> None:
    assert claim_of_config(tmp_path) == (None, "")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit"}))
    assert claim_of_config(tmp_path) == (None, "vit")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "depth_anything", "depth_estimation_type": 5}))
    with pytest.raises(ModelFileError, match=r"config\.json: config\.depth_estimation_type is 5, expected one of"):
        claim_of_config(tmp_path)


@pytest.mark.parametrize(
    ("names", "encoder", "kind"),
    [
        (("depth_anything_v2_vits",), "vits", "inverse"),
        (("depth_anything_v2_vits_fp16_518x518_sim",), "vits", "inverse"),
        (("model_q4f16", "onnx", "onnx-community/depth-anything-v2-base"), "vitb", "inverse"),
        (("model", "models", "Xenova/depth-anything-small-hf"), "vits", "inverse"),
        (("model-f6b98070",), "midas_v21_384", "inverse"),
        (("da3metric-large",), "vitl", "metric"),
        (("depth_anything_v2_metric_hypersim_vits_dynamic",), "vits", "metric"),
    ],
)
def test_names_of_published_models_are_recognised(names: tuple[str, ...], encoder: str, kind: str) -> None:
    claim, entry = claim_of_names(names)
    assert claim is not None and entry is not None
    assert (entry.encoder, claim.kind, claim.licence) == (encoder, kind, entry.licence)


def test_names_that_say_nothing_or_two_kinds_claim_no_kind() -> None:
    assert claim_of_names(("model_fp16", "downloads")) == (None, None)
    claim, entry = claim_of_names(("da3metric-large", "da3mono-large"))
    assert claim is not None and (claim.family, claim.kind, entry) == ("depth-anything-3", None, None)


def test_layouts_of_one_project_only_are_recognised() -> None:
    midas = Graph(image="0", depth="797", image_dims=(1, 3, 256, 256), depth_dims=(1, 256, 256), normalises=1)
    claim, entry = claim_of_layout(layout_of(midas))
    assert claim is not None and entry is not None and (entry.encoder, claim.kind) == ("midas_v21_small_256", "inverse")
    nested = Graph(image="image", depth="depth", others=("sky",))
    claim, entry = claim_of_layout(layout_of(nested))
    assert claim is not None and entry is None and (claim.family, claim.kind) == ("depth-anything-3", None)
    assert claim_of_layout(layout_of(Graph(image="image", depth="depth"))) == (None, None)
    unnormalised = Graph(image="0", depth="797", image_dims=(1, 3, 256, 256), depth_dims=(1, 256, 256))
    assert claim_of_layout(layout_of(unnormalised)) == (None, None)
