from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx_ir
import pytest
from foreign_graphs import MEAN, STD, Graph, make_graph, write_graph
from made import CANARY

from depthrt import DepthrtError, InputError, ModelFileError
from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.adopt.graph.layout import read_layout
from depthrt.export.adopt.meaning import settle_meaning
from depthrt.export.adopt.options import Options
from depthrt.export.adopt.plan import Plan, make_contract, make_plan
from depthrt.export.adopt.source import find_source

STATIC = Graph(image_dims=(1, 3, 56, 84), depth_dims=(1, 56, 84))
HALF: dict[str, Any] = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
SKY = Graph(image="image", depth="depth", others=("sky",), image_dims=(1, 3, 56, 84), depth_dims=(1, 56, 84))
DPT = {
    "do_resize": True,
    "size": {"height": 98, "width": 98},
    "keep_aspect_ratio": True,
    "ensure_multiple_of": 14,
    "resample": 3,
    "image_mean": [0.4, 0.4, 0.4],
    "image_std": [0.3, 0.3, 0.3],
    "image_processor_type": "DPTImageProcessor",
}


def plan_of(
    folder: Path,
    graph: Graph,
    preprocessor: dict[str, object] | None = None,
    **options: Any,  # noqa: ANN401 (as Options has them)
) -> tuple[Plan, Contract]:
    given = Options(**{"kind": "inverse", **options})
    source = find_source(write_graph(folder / "theirs.onnx", graph))
    if preprocessor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    model = onnx_ir.from_proto(make_graph(graph))
    layout = read_layout(model, "theirs.onnx")
    meaning = settle_meaning(source, layout, given)
    plan = make_plan(source, model, layout, meaning, given)
    return plan, make_contract(source, model, layout, meaning, plan, CANARY)


def test_the_family_gives_rule_colours_and_resizes(tmp_path: Path) -> None:
    plan, contract = plan_of(tmp_path, Graph(), like="depth-anything-v1")
    assert plan.size == SizeRule((518, 518), 14, "lower_bound") and plan.canary_px == (252, 336)
    assert (contract.mean, contract.std) == (MEAN, STD)
    assert (contract.input_resize, contract.final_resize) == ("cubic", "bilinear_centres")
    assert (contract.batch, contract.precision, contract.attention) == (None, "fp32", "none")
    assert contract.source_name == "theirs.onnx" and contract.model == "depth-anything-v1-theirs"


def test_the_preprocessor_goes_before_the_family_and_options_before_both(tmp_path: Path) -> None:
    plan, contract = plan_of(tmp_path, Graph(), DPT, like="depth-anything-v2")
    assert plan.size == SizeRule((98, 98), 14, "minimal") and plan.mean == (0.4, 0.4, 0.4)
    assert (contract.input_resize, contract.final_resize) == ("cubic_uint8", "bicubic")
    plan, _ = plan_of(tmp_path, Graph(), DPT, like="depth-anything-v2", size=70, **HALF)
    assert plan.size == SizeRule((70, 70), 14, "minimal") and (plan.mean, plan.std) == ((0.5,) * 3, (0.5,) * 3)


def test_a_static_graph_is_stretched_to_and_letterboxed_where_the_preprocessor_keeps_the_aspect(tmp_path: Path) -> None:
    plan, contract = plan_of(tmp_path, STATIC, like="depth-anything-v2")
    assert plan.size == SizeRule((56, 84), 14, "stretch") and plan.canary_px == (56, 84) and contract.batch == 1
    assert "Images are stretched to 56x84 px, the only size that it takes." in plan.remarks
    plan, _ = plan_of(tmp_path, STATIC, DPT, like="depth-anything-v2")
    assert plan.size.rule == "letterbox"
    plan, _ = plan_of(tmp_path, Graph(), like="depth-anything-v2", size=(70, 98))
    assert plan.size == SizeRule((70, 98), 14, "stretch") or plan.size.rule == "letterbox"


def test_a_graph_that_normalises_gets_plain_colours(tmp_path: Path) -> None:
    plan, _ = plan_of(tmp_path, Graph(normalises=1), size=64)
    assert (plan.mean, plan.std) == ((0.0,) * 3, (1.0,) * 3)
    plan, _ = plan_of(tmp_path, Graph(normalises=255), size=64)
    assert plan.std == (1 / 255,) * 3
    plan, _ = plan_of(tmp_path, Graph(image_type="uint8"), size=64)
    assert (plan.mean, plan.std) == ((0.0,) * 3, (1 / 255,) * 3)


def test_a_size_without_a_family_is_its_short_side(tmp_path: Path) -> None:
    plan, contract = plan_of(tmp_path, Graph(), size=64, **HALF)
    assert plan.size == SizeRule((64, 64), 32, "lower_bound") and plan.canary_px == (256, 320)
    assert (contract.input_resize, contract.final_resize) == ("cubic", "bilinear_corners")
    assert any(remark.startswith("Nothing says how it was used") for remark in plan.remarks)


def test_depth_anything_3_has_its_sky_and_focal_length(tmp_path: Path) -> None:
    _, metric = plan_of(tmp_path, SKY, kind="metric")
    assert (metric.sky_from, metric.focal_unit_px, metric.input_resize) == (0.3, 300.0, "area_uint8")
    _, scale = plan_of(tmp_path, SKY, kind="scale")
    assert (scale.sky_from, scale.focal_unit_px) == (0.3, None)


@pytest.mark.parametrize(
    ("graph", "options", "failure", "message"),
    [
        (STATIC, {"size": (56, 70)}, InputError, r"--size 56x70 found, .*theirs\.onnx takes 56x84 only; leave the opt"),
        (STATIC, {"size": 56}, InputError, r"--size 56 found, .* takes 56x84 only"),
        (STATIC, {}, InputError, r"does not say how colours are normalised, and no preprocessor_config\.json lies bes"),
        (
            Graph(image_dims=("b", 3, 56, "w")),
            {},
            InputError,
            r"takes 56xany px; give the whole size with --size HxW",
        ),
        (
            Graph(image_dims=("b", 3, 56, "w")),
            {"size": (70, 98)},
            InputError,
            r"--size 70x98 found, .* takes 56xany px",
        ),
        (
            Graph(depth_dims=("b", 56, 84)),
            {"like": "depth-anything-v2"},
            ModelFileError,
            r"its output predicted_depth has 56x84 for all of them: its export made the size a constant; give",
        ),
        (Graph(), HALF, InputError, r"takes images of any size, and nothing beside it says which .*; give --size N"),
        (Graph(), {"size": 70, **HALF}, InputError, r"--size 70 found, expected a multiple of 32 px; try 64"),
        (Graph(), {"like": "midas"}, DepthrtError, r"takes images of any size"),
        (
            Graph(image_type="uint8"),
            {"size": 64, **HALF},
            InputError,
            r"--mean found, .* takes uint8 colours as they are; leave it and --std out",
        ),
    ],
)
def test_what_is_not_known_or_does_not_fit_is_refused_in_one_line(
    graph: Graph, options: dict[str, Any], failure: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(failure, match=message) as caught:
        plan_of(tmp_path, graph, **options)
    assert "\n" not in str(caught.value)
