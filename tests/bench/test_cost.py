from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tiny_model import TinyModel

from depthrt.bench.cost import BATCH_SIDES_PX, BATCHES, SIDES_PX, Cost, SquareBatch, draw_costs, main, make_inputs
from depthrt.bench.machine.ceilings import count_work
from depthrt.bench.subjects.checkpoint_options import CheckpointOptions

POINTS_AN_INCH = 72
LARGEST_RING = 0.1  # of a panel's shorter side: a ring must not cover the points of the next side


def test_every_size_comes_alone_and_two_in_batches() -> None:
    inputs = make_inputs((266, 392, 518), (2, 4))
    assert [(one.side_px, one.batch) for one in inputs] == [
        (266, 1), (392, 1), (518, 1), (266, 2), (266, 4), (518, 2), (518, 4),
    ]  # fmt: skip
    assert make_inputs((320, 160), (2,))[2:] == [SquareBatch(160, 2)]


def test_the_default_sides_are_sides_of_whole_patches_and_include_those_of_batches() -> None:
    assert all(side % 14 == 0 for side in SIDES_PX) and list(SIDES_PX) == sorted(SIDES_PX)
    assert {one.side_px for one in make_inputs(SIDES_PX, BATCHES) if one.batch > 1} == set(BATCH_SIDES_PX)


def test_figures_are_of_all_images_of_a_call() -> None:
    cost = Cost("a", SquareBatch(1000, 4), gflop=800.0, samples_ms=(390.0, 400.0, 900.0))
    assert cost.ms_per_megapixel == pytest.approx(100)
    assert cost.gflops == pytest.approx(2000)


def test_the_plot_shows_every_cost_in_both_panels() -> None:
    inputs = make_inputs((266, 518), (2,))
    costs = [Cost(way, squares, 10.0, (squares.side_px / 10,)) for way in ("a", "c") for squares in inputs]
    figure = draw_costs(costs, "tiny & small")
    assert figure.get_suptitle() == "tiny & small"
    for axes, name in zip(figure.axes, ("ms_per_megapixel", "gflops"), strict=True):
        drawn = [tuple(point) for line in axes.lines for point in np.asarray(line.get_xydata())]
        assert sorted(drawn) == sorted((one.load.side_px, getattr(one, name)) for one in costs)
    legend = figure.axes[0].get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["a", "c"]


def test_rings_grow_with_the_batch_and_leave_a_gap_around_the_point_of_one_image() -> None:
    inputs = make_inputs((266,), BATCHES)
    figure = draw_costs([Cost("a", squares, 10.0, (20.0,)) for squares in inputs], "tiny")
    for axes in figure.axes:
        point, *rings = axes.lines
        diameters_pt = [ring.get_markersize() for ring in rings]
        assert diameters_pt == sorted(set(diameters_pt)) and len(rings) == len(BATCHES)
        assert all(ring.get_markerfacecolor() == "none" for ring in rings)
        inside_pt = diameters_pt[0] - rings[0].get_markeredgewidth()
        gap_pt = (inside_pt - point.get_markersize() - point.get_markeredgewidth()) / 2
        assert gap_pt * figure.dpi / POINTS_AN_INCH >= 1  # px
        panel_pt = figure.get_size_inches() / (len(figure.axes), 1) * POINTS_AN_INCH
        assert diameters_pt[-1] <= LARGEST_RING * panel_pt.min()


def test_a_file_is_measured_whole(tiny: TinyModel, tmp_path: Path) -> None:
    command = [str(tiny.checkpoint), str(tiny.onnx), "--sides", "70,98", "--batches", "2", "--rounds", "1"]
    tiny_says = ("--family", "depth-anything-v2", "--kind", "inverse")
    outs = ("-o", str(tmp_path / "cost.json"), "--plot", str(tmp_path / "cost.svg"))
    found = CliRunner().invoke(main, [*command, *tiny_says, *outs])
    assert found.exit_code == 0, found.output
    costs = json.loads((tmp_path / "cost.json").read_text(encoding="utf-8"))["costs"]
    one = next(cost for cost in costs if cost["load"] == {"side_px": 98, "batch": 1})
    options = CheckpointOptions((98, 98), "depth-anything-v2", "inverse")
    assert one["gflop"] == pytest.approx(count_work(tiny.checkpoint, options))
    assert (tmp_path / "cost.svg").stat().st_size > 0


def test_a_file_of_one_size_is_refused(tiny_static: TinyModel, tmp_path: Path) -> None:
    found = CliRunner().invoke(
        main, [str(tiny_static.checkpoint), str(tiny_static.onnx), "-o", str(tmp_path / "x.json")]
    )
    assert found.exit_code == 1
    assert "takes only one size or batch" in found.stderr
