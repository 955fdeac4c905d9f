"""The table and the page of probes."""

from __future__ import annotations

from pathlib import Path

from depthrt.bench.numbers.probes import ProbedModel, ProbeReport, Question, Score
from depthrt.bench.numbers.result import Interval
from depthrt.bench.report.probes_page import probes_table, write_probes_page

REPORT = ProbeReport(
    (Question("stem", "a thin stem", "min(r, 1/r)", True), Question("tiles", "a flat floor", "rms / std", False)),
    (
        ProbedModel("<b>.onnx", {}, {name: Score(Interval(0.5, 0.4, 0.61), (0.5,)) for name in ("stem", "tiles")}),
        ProbedModel("broken.pth", {}, {}, failure="it is not a checkpoint"),
        ProbedModel("constant", {}, {"stem": Score(Interval(0, 0, 0), (0.0,))}, baseline=True),
    ),
    {"scenes of each probe": "4"},
)


def test_the_table_has_a_row_for_each_probe_and_a_column_for_each_model() -> None:
    table = probes_table(REPORT)
    assert table.columns == ("probe", "asks for", "better", "<b>.onnx", "broken.pth", "constant")
    assert table.rows == (
        ("stem", "a thin stem", "higher", "0.50 (0.40–0.61)", "failed", "0.00"),
        ("tiles", "a flat floor", "lower", "0.50 (0.40–0.61)", "failed", "–"),
    )
    assert "over 4 scenes" in table.note


def test_the_page_holds_table_formulas_failures_and_the_strip(tmp_path: Path) -> None:
    write_probes_page(tmp_path / "probes.html", REPORT, b"\x89PNG")
    page = (tmp_path / "probes.html").read_text()
    assert "data:image/png;base64,iVBORw==" in page
    assert "stem, higher is better" in page and "rms / std" in page and "it is not a checkpoint" in page
    assert "&lt;b&gt;.onnx" in page and "<b>.onnx" not in page
    assert "http" not in page
