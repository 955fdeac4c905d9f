from __future__ import annotations

import json
from pathlib import Path

import onnx_ir
import pytest
from foreign_graphs import Graph, make_graph, write_graph
from random_checkpoint import TINY, random_network, save_official

from depthrt import InputError
from depthrt.export.adopt.graph.layout import read_layout
from depthrt.export.adopt.meaning import UNKNOWN, Meaning, settle_meaning
from depthrt.export.adopt.options import Options
from depthrt.export.adopt.source import find_source
from depthrt.export.checkpoint.checkpoint import Checkpoint, read_checkpoint


def meaning_of(
    folder: Path,
    options: Options,
    *,
    name: str = "theirs.onnx",
    graph: Graph | None = None,
    config: dict[str, object] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Meaning:
    graph = graph or Graph()
    path = write_graph(folder / name, graph)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    layout = read_layout(onnx_ir.from_proto(make_graph(graph)), name)
    return settle_meaning(find_source(path), layout, options, checkpoint)


def test_a_file_that_nothing_is_known_of_has_the_kind_of_the_options_and_no_conventions(tmp_path: Path) -> None:
    found = meaning_of(tmp_path, Options(kind="affine"))
    assert (found.family, found.encoder, found.kind, found.licence) == (UNKNOWN, "theirs", "affine", "unknown")
    assert found.conventions is None and found.multiple_px is None
    assert found.remarks == ("Its output is affine depth, by the options.",)


def test_a_file_whose_kind_nothing_says_is_refused(tmp_path: Path) -> None:
    message = r"theirs\.onnx \(pixel_values -> predicted_depth\) does not say .*--kind inverse, metric, affine or scale"
    with pytest.raises(InputError, match=message):
        meaning_of(tmp_path, Options(like="depth-anything-v2"))


def test_a_name_says_all_and_options_win_over_it(tmp_path: Path) -> None:
    name = "depth_anything_v2_vits_518x518.onnx"
    found = meaning_of(tmp_path, Options(), name=name)
    assert (found.family, found.encoder, found.kind, found.licence) == (
        *("depth-anything-v2", "vits", "inverse"),
        "Apache-2.0",
    )
    source = "the name of the published depth-anything-v2-vits"
    assert found.remarks == (f"It is depth-anything-v2, and its output is inverse depth, by {source}.",)
    other = meaning_of(tmp_path, Options(kind="metric", max_depth_m=20.0), name=name)
    assert (other.kind, other.max_depth_m, other.licence) == ("metric", 20.0, "unknown")
    assert other.encoder == "depth_anything_v2_vits_518x518"
    assert f"warning: {source} says inverse, which is not used." in other.remarks


def test_a_config_leaves_the_version_of_depth_anything_open(tmp_path: Path) -> None:
    config: dict[str, object] = {"model_type": "depth_anything", "depth_estimation_type": "metric", "max_depth": 20}
    found = meaning_of(tmp_path, Options(), config=config)
    assert (found.family, found.kind, found.max_depth_m, found.multiple_px) == ("depth-anything", "metric", 20, 14)
    assert found.conventions is not None and found.remarks == (
        "Its output is metric depth, by config.json (depth_anything).",
    )


def test_a_family_of_one_kind_says_it(tmp_path: Path) -> None:
    found = meaning_of(tmp_path, Options(like="zoedepth"))
    assert (found.family, found.kind) == ("zoedepth", "metric")
    assert "Its output is metric depth, by its family, zoedepth." in found.remarks


def test_depth_anything_3_is_known_by_its_sky(tmp_path: Path) -> None:
    graph = Graph(image="image", depth="depth", others=("sky",))
    found = meaning_of(tmp_path, Options(kind="metric"), graph=graph)
    assert found.family == "depth-anything-3" and found.conventions is not None
    assert (found.conventions.sky_from, found.conventions.focal_unit_px) == (0.3, 300.0)


def test_a_model_of_transformers_that_depthrt_does_not_know_keeps_its_name(tmp_path: Path) -> None:
    found = meaning_of(tmp_path, Options(), config={"model_type": "glpn", "max_depth": 10})
    assert (found.family, found.kind, found.max_depth_m, found.conventions) == ("glpn", "metric", 10, None)


def test_a_checkpoint_says_what_it_is(tmp_path: Path) -> None:
    path = save_official(random_network(TINY), tmp_path / "tiny.pth")
    checkpoint = read_checkpoint(path, family="depth-anything-v2", kind="inverse")
    found = meaning_of(tmp_path, Options(), checkpoint=checkpoint)
    assert (found.family, found.kind) == ("depth-anything-v2", "inverse")
    assert found.conventions is not None and found.conventions.base_px == (518, 518)
    assert "by the checkpoint" in found.remarks[0]
