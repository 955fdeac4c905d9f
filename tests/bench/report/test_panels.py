"""The plots of a report."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from made_report import (
    make_report,
)

from depthrt.bench.numbers.result import Report
from depthrt.bench.report.panels import resource_panels
from depthrt.bench.report.summary import summarise_report


@cache
def whole() -> Report:
    return make_report()


def test_gpu_memory_is_named_for_what_it_is() -> None:
    gpu = replace(whole(), subjects=(replace(whole().subjects[0], vram_mib=900.0),))
    titles = [panel.title for panel in resource_panels(gpu, summarise_report(gpu))]
    assert titles == ["Peak memory of the process", "GPU memory after two images", "Energy per image"]
