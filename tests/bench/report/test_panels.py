"""The plots of a report: a panel for each scope and load, a row for each measured subject."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

from made_report import BF16, EAGER, FP32, INT8, make_constant, make_drift, make_report

from depthrt.bench.numbers.result import Report
from depthrt.bench.report.panels import (
    band_rows,
    builds_panel,
    cold_panel,
    latency_panels,
    resource_panels,
    stage_panel,
    throughput_panels,
)
from depthrt.bench.report.summary import Summary, summarise_report

MEASURED = [EAGER, FP32, BF16, INT8]


@cache
def whole() -> Report:
    return make_report()


@cache
def summary() -> Summary:
    return summarise_report(whole())


def test_each_scope_has_a_panel_with_a_row_for_each_subject() -> None:
    panels = list(latency_panels(whole(), summary()))
    assert [panel.title for panel in panels] == [
        "kernel: network only",
        "host: image array to depth array",
        "file: file to file",
        "rate: frames at a fixed rate, 5 Hz",
    ]
    for panel in panels:
        assert [row.name for row in panel.rows] == MEASURED and panel.axis
        assert [row.role for row in panel.rows] == ["baseline", "", "winner", "over"]
        assert ('class="limit"' in panel.rows[0].svg) == panel.title.startswith("rate")


def test_stages_and_cold_starts_are_stacks_with_keys() -> None:
    stages, cold = stage_panel(whole(), summary()), cold_panel(whole(), summary())
    assert stages.keys == ("decode", "preprocess", "run", "postprocess", "encode")
    assert cold.keys == ("process", "import", "load", "first inference")
    for panel in (stages, cold):
        assert [row.svg.count('class="part') for row in panel.rows] == [len(panel.keys)] * len(MEASURED)


def test_each_load_has_a_panel() -> None:
    titles = [panel.title for panel in throughput_panels(whole(), summary())]
    assert titles == ["batch 1, 1 stream", "batch 1, 2 streams", "batch 4, 1 stream"]


def test_loads_of_one_build_have_no_spread_to_show() -> None:
    assert [row.name for row in builds_panel(whole(), summary()).rows] == MEASURED
    single = replace(whole(), subjects=(replace(whole().subjects[0], builds_ms=(3.0,)),))
    assert builds_panel(single, summary()).rows == ()


def test_gpu_memory_is_named_for_what_it_is() -> None:
    gpu = replace(whole(), subjects=(replace(whole().subjects[0], vram_mib=900.0),))
    titles = [panel.title for panel in resource_panels(gpu, summarise_report(gpu))]
    assert titles == ["Peak memory of the process", "GPU memory after two images", "Energy per image"]


def test_infinite_drift_in_a_band_leaves_the_other_columns_their_scale() -> None:
    drift = make_drift(0.01)
    lost = replace(drift, bands=(replace(drift.bands[0], drift=math.inf), *drift.bands[1:]))
    report = replace(whole(), subjects=(replace(make_constant("a", 1.0), drift=lost),))
    (row,) = band_rows(report, summarise_report(report))
    assert row.labels[0] == "infinite" and row.svg.count('height="42.0"') == 2  # the lost column and the largest other
