from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from made_report import BF16, EAGER, FP32, INT8, make_accuracy, make_drift, make_latency, make_pictures, make_report

from depthrt.bench.bench import BenchResult
from depthrt.bench.numbers.figures import latency_in
from depthrt.bench.numbers.result import Interval, Picture, Report, SubjectResult
from depthrt.bench.numbers.result_file import SCHEMA_FILE, from_json, json_schema, read_result, to_json
from depthrt.bench.numbers.wording import amount, between, digits, share, times
from depthrt.bench.report.markdown import to_markdown
from depthrt.bench.report.page import to_html, write_report
from depthrt.bench.report.panels import resource_panels
from depthrt.bench.report.summary import summarise_report
from depthrt.bench.report.svg import Axis, axis_svg, fit_axis, stack_svg, strip_svg
from depthrt.bench.report.tables import summary_table
from depthrt.cli.show.bench import show_report
from depthrt.engine.errors import BackendUnavailable, InputError

PAGE_BYTES = 2_000_000
VOID = {"meta", "img", "link", "br", "line", "rect", "circle", "path"}
NASTY = '<script>alert("1")</script> & |x|'


@cache
def whole() -> Report:
    return make_report()


@cache
def page() -> str:
    return to_html(whole(), make_pictures())


def without_latency(report: Report) -> Report:
    bare = [SubjectResult(one.name, one.facts, drift=one.drift, accuracy=one.accuracy) for one in report.subjects]
    return replace(report, subjects=tuple(bare))


def constant(name: str, ms: float, *, drift: float | None = None) -> SubjectResult:
    """Return a subject that takes the same time in each call."""
    found = None if drift is None else make_drift(drift)
    return SubjectResult(name, {}, latency=(make_latency("host", [ms] * 30),), drift=found)


class Balance(HTMLParser):
    """Holds the tags that are open; an end tag that does not fit is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def fits(schema: dict[str, Any], found: Any, top: dict[str, Any]) -> bool:  # noqa: ANN401, PLR0911
    """Whether a value fits a JSON Schema, as far as the keywords that ours uses go."""
    if "$ref" in schema:
        return fits(top["$defs"][schema["$ref"].rsplit("/", maxsplit=1)[-1]], found, top)
    if "anyOf" in schema:
        return any(fits(one, found, top) for one in schema["anyOf"])
    if "enum" in schema:
        return found in schema["enum"]
    if "const" in schema:
        return bool(found == schema["const"])
    kinds: dict[str, Any] = {
        "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None),
        "array": list, "object": dict,
    }  # fmt: skip
    if not isinstance(found, kinds[schema["type"]]) or (isinstance(found, bool) and schema["type"] != "boolean"):
        return False
    if schema["type"] == "array":
        return all(fits(schema["items"], one, top) for one in found)
    if schema["type"] == "object":
        known, others = schema.get("properties", {}), schema["additionalProperties"]
        return set(schema.get("required", ())) <= found.keys() and all(
            fits(known[key], one, top) if key in known else bool(others) and fits(others, one, top)
            for key, one in found.items()
        )
    return True


def test_json_gives_the_same_report_back() -> None:
    assert from_json(to_json(whole())) == whole()


def test_json_holds_numbers_that_are_not_finite() -> None:
    drift = replace(make_drift(0.1), mean=math.inf, worst=-math.inf, p99=math.nan)
    report = replace(whole(), subjects=(SubjectResult("a", {}, drift=drift),))
    found = from_json(to_json(report)).subjects[0].drift
    assert found is not None
    assert (found.mean, found.worst, math.isnan(found.p99)) == (math.inf, -math.inf, True)
    json.loads(to_json(report), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_the_schema_file_is_that_of_the_dataclasses() -> None:
    assert json.loads(SCHEMA_FILE.read_text()) == json_schema()


def test_a_report_fits_the_schema_and_a_wrong_one_does_not() -> None:
    schema, found = json_schema(), json.loads(to_json(whole()))
    assert fits(schema, found, schema)
    found["subjects"][0]["latency"][0]["p50_ms"]["low"] = "fast"
    assert not fits(schema, found, schema)


def set_low(found: dict[str, Any]) -> None:
    found["subjects"][1]["latency"][0]["p50_ms"]["low"] = "fast"


def set_flag(found: dict[str, Any]) -> None:
    found["machine"]["cores"] = True


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda found: found.update(schema=2), "schema 2 found, this depthrt reads schema 1"),
        (lambda found: found.pop("schema"), "no report of `depthrt bench`"),
        (lambda found: found.update(colour="red"), "colour is not known"),
        (lambda found: found["subjects"][2].update(pace=1), r"subjects\[2\].pace is not known, expected among name"),
        (lambda found: found["subjects"][0]["cold"].pop("load_ms"), r"subjects\[0\].cold.load_ms is missing"),
        (set_low, r"subjects\[1\].latency\[0\].p50_ms.low is 'fast', expected a number"),
        (set_flag, "machine.cores is True, expected an integer"),
        (lambda found: found["made"]["versions"].update(numpy=2), "made.versions.numpy is 2, expected string"),
        (lambda found: found.update(subjects={}), "subjects is {}, expected a list"),
        (lambda found: found["subjects"].append(found["subjects"][0]), r"subjects\[5\].name is .* a second time"),
    ],
)
def test_json_that_is_wrong_is_refused_by_its_place(spoil: Callable[[dict[str, Any]], Any], message: str) -> None:
    found = json.loads(to_json(whole()))
    spoil(found)
    with pytest.raises(InputError, match=message):
        from_json(json.dumps(found))


@pytest.mark.parametrize("text", ["", "[]", "{", "3"])
def test_text_that_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"report\.json: no (JSON|report)"):
        read_result(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_result(tmp_path / "none.json")


def test_keys_with_a_default_may_be_missing() -> None:
    found = json.loads(to_json(whole()))
    del found["warnings"], found["subjects"][0]["notes"], found["subjects"][0]["cold"]["each"]
    assert from_json(json.dumps(found)) == replace(whole(), warnings=())


def test_the_page_needs_nothing_from_outside() -> None:
    text = re.sub(r"data:image/jpeg;base64,[\w+/=]+", "", page())
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|\son[a-z]+=", text)
    sources = re.findall(r'(?:src|href|srcset)="([^"]*)"', page())
    assert len(sources) == len(make_pictures())
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)


def test_the_page_is_balanced_html() -> None:
    balance = Balance()
    balance.feed(page())
    assert balance.open == []
    assert {"table", "svg", "figure", "details", "pre", "img"} <= balance.seen


def test_the_page_says_what_was_measured_where_and_how() -> None:
    summary = summarise_report(whole())
    texts = [one.name for one in whole().subjects] + [*whole().warnings, whole().made.command, whole().machine.cpu]
    for text in (*texts, "d8347b9", "1.24.1", "no CUDA device was found", *summary.sentences):
        assert escape(text) in page().replace("\u00a0", " ").replace("&#34;", "&quot;"), text


def test_warnings_come_before_figures() -> None:
    assert page().index(whole().warnings[0]) < page().index('class="verdict"')


def test_names_and_notes_are_text_not_markup() -> None:
    subject = replace(whole().subjects[2], name=NASTY, notes=(NASTY,), facts={NASTY: NASTY})
    report = replace(whole(), subjects=(whole().subjects[0], subject), warnings=(NASTY,))
    found = to_html(report, [Picture(NASTY, NASTY, b"\xff\xd8")])
    assert "<script" not in found
    balance = Balance()
    balance.feed(found)
    assert balance.open == []


def test_names_with_brackets_keep_them_in_the_terminal_s_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subjects = [replace(one, name=f"{one.name}[fp32]") for one in whole().subjects]
    report = replace(whole(), subjects=tuple(subjects), reference=subjects[0].name)
    result = BenchResult(report, (), write_report(tmp_path, report))
    show_report(result, drift_budget=0.01, as_json=False)
    assert capsys.readouterr().out.count("[fp32]") >= len(subjects)


def test_a_page_with_too_many_pictures_stays_small_and_says_so() -> None:
    pictures = [Picture(BF16, f"tile {number}", bytes(100_000)) for number in range(30)]
    report = replace(
        whole(), subjects=tuple(replace(one, accuracy=(make_accuracy(0.1, images=2000),)) for one in whole().subjects)
    )
    found = to_html(report, pictures)
    assert len(found.encode()) < PAGE_BYTES
    assert found.count("<img") == 13
    assert "17 more pictures" in found
    assert "The 1900 images with the smallest abs_rel" in found


@pytest.mark.parametrize(
    "report",
    [
        lambda: without_latency(whole()),
        lambda: replace(whole(), subjects=()),
        lambda: replace(whole(), subjects=whole().subjects[-1:], reference=""),
        lambda: replace(whole(), subjects=whole().subjects[:1], reference=""),
        lambda: replace(whole(), subjects=(constant("a", 3.0), constant("b", 4.0)), reference="", warnings=()),
        lambda: replace(whole(), subjects=(constant("a", 3.0), constant("b", 2.0, drift=math.inf)), reference="a"),
    ],
    ids=["no latency", "no subject", "failures alone", "one subject", "no reference", "infinite drift"],
)
def test_a_report_of_a_part_is_a_whole_page(report: Callable[[], Report]) -> None:
    balance = Balance()
    balance.feed(to_html(report()))
    assert balance.open == []
    assert to_markdown(report())


def test_the_report_is_written_as_three_files(tmp_path: Path) -> None:
    files = write_report(tmp_path / "new" / "report", whole(), make_pictures())
    assert sorted(path.name for path in files.html.parent.iterdir()) == ["report.html", "report.json", "report.md"]
    assert read_result(files.json) == whole()
    assert files.html.read_text(encoding="utf-8") == page()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        write_report(tmp_path / "file" / "report", whole())


def test_without_jinja2_the_page_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(BackendUnavailable, match=r"depthrt\[bench\]"):
        to_html(whole())


def test_the_fastest_within_the_budget_wins_not_the_fastest() -> None:
    summary = summarise_report(whole())
    assert (summary.winner, summary.baseline) == (BF16, EAGER)
    assert summary.headline.startswith(f"{BF16} is the fastest within a drift of 1 %: ")
    assert any(INT8 in sentence and "1.42 % is over 1 %" in sentence for sentence in summary.sentences)
    assert summarise_report(whole(), drift_budget=0.02).winner == INT8
    assert summarise_report(whole(), drift_budget=1e-9).winner == EAGER


def test_a_subject_with_values_that_are_not_finite_never_wins() -> None:
    fast = constant("fast", 1.0, drift=0.0)
    assert fast.drift is not None
    broken = replace(fast, drift=replace(fast.drift, nonfinite=3))
    report = replace(whole(), subjects=(constant("slow", 9.0), broken), reference="slow")
    assert summarise_report(report).winner == "slow"
    assert "fast takes 1.00 ms, but 3 values are not finite." in summarise_report(report).sentences


def test_a_subject_that_failed_on_the_way_never_wins_although_it_has_times() -> None:
    broken = replace(constant("fast", 1.0), failure="RuntimeError: the device is gone")
    summary = summarise_report(replace(whole(), subjects=(constant("slow", 9.0), broken), reference=""))
    assert (summary.winner, summary.baseline, list(summary.speeds)) == ("slow", "slow", ["slow"])
    assert "fast failed: RuntimeError: the device is gone." in summary.sentences


def test_the_speed_that_a_run_measured_is_the_one_that_is_shown() -> None:
    measured = replace(constant("b", 12.0), speed=Interval(2.6, 2.5, 2.7))
    report = replace(whole(), subjects=(constant("a", 30.0), measured), reference="a")
    assert summarise_report(report).speeds["b"] == measured.speed
    other = summarise_report(replace(report, reference="")).speeds["b"]  # against what stands first
    assert other.value == pytest.approx(2.5)


def test_speed_is_the_baselines_time_over_the_subjects() -> None:
    report = replace(whole(), subjects=(constant("a", 30.0), constant("b", 12.0, drift=0.002)), reference="a")
    summary = summarise_report(report)
    assert summary.speeds["a"].value == pytest.approx(1)
    assert summary.speeds["b"].value == pytest.approx(2.5)
    assert summary.headline == (
        "b is the fastest within a drift of 1 %: 12.0 ms from image array to depth array, 2.5× as fast as a, "
        "drift 0.200 %."
    )


def test_two_subjects_that_the_times_do_not_tell_apart_are_said_to_be_alike() -> None:
    first, again = make_report(1, only=(FP32,)).subjects[0], make_report(2, only=(FP32,)).subjects[0]
    report = replace(whole(), subjects=(first, replace(again, name="again")), reference="")
    assert any("is not clearly slower than" in sentence for sentence in summarise_report(report).sentences)


def test_subjects_that_were_judged_otherwise_are_not_ranked_together() -> None:
    def judged(name: str, abs_rel: float, alignment: str) -> SubjectResult:
        return replace(constant(name, 9.0), accuracy=(replace(make_accuracy(abs_rel), alignment=alignment),))

    metric, better = judged("metric", 0.12, "none"), judged("better", 0.11, "none")
    inverse = judged("inverse", 0.05, "scale-and-shift")
    alone = summarise_report(replace(whole(), subjects=(metric, inverse), reference=""))
    assert not any("abs_rel" in sentence for sentence in alone.sentences)
    alike = replace(whole(), subjects=(metric, inverse, better), reference="")
    assert summarise_report(alike).sentences[-1] == (
        "abs_rel (nyu, not aligned, to 10 m, eigen crop) is 0.110 (better) to 0.120 (metric)."
    )
    table = summary_table(alike, summarise_report(alike))
    assert [row[table.columns.index("abs_rel")] for row in table.rows] == ["0.120", "–", "0.110"]


def test_gpu_memory_is_named_for_what_it_is() -> None:
    gpu = replace(whole(), subjects=(replace(whole().subjects[0], vram_mib=900.0),))
    titles = [panel.title for panel in resource_panels(gpu, summarise_report(gpu))]
    assert titles == ["Peak memory of the process", "GPU memory after two images", "Energy an image"]


def test_missed_frames_are_a_share_of_all_that_came() -> None:
    # 1015 ms: 51 dropped beside 90 answered
    assert any("misses 36.2 %" in sentence for sentence in summarise_report(whole()).sentences)


def test_columns_that_no_subject_has_are_left_out() -> None:
    made = summary_table(whole(), summarise_report(whole()))
    assert "VRAM" not in made.columns
    gpu = replace(whole(), subjects=(replace(whole().subjects[0], vram_mib=900.0),))
    assert "VRAM" in summary_table(gpu, summarise_report(gpu)).columns


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head() -> None:
    report = replace(whole(), subjects=(*whole().subjects, constant(NASTY, 5.0)))
    found = to_markdown(report)
    assert "<script" not in found.replace("\\<script", "")
    for block in re.findall(r"(?:^\|.*\n)+", found, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_markdown_begins_with_the_verdict_and_ends_with_how_to_make_it_again() -> None:
    lines = to_markdown(whole()).splitlines()
    assert lines[2].startswith(f"**{BF16} is the fastest")
    assert whole().made.command in lines
    assert lines[-1].startswith("commit d8347b9")


def test_an_axis_puts_values_where_they_belong() -> None:
    assert Axis(0.0, 200.0, False).at(50.0) == 25.0
    assert Axis(1.0, 100.0, True).at(10.0) == pytest.approx(50.0)
    assert Axis(0.0, 200.0, False).at(300.0) == 100.0
    assert Axis(0.0, 90.0, False).ticks() == (0.0, 25.0, 50.0, 75.0)
    assert Axis(0.0, 100.0, False).ticks() == (0.0, 25.0, 50.0, 75.0, 100.0)
    assert Axis(8.0, 400.0, True).ticks() == (10.0, 30.0, 100.0, 300.0)


def test_an_axis_is_logarithmic_where_values_are_far_apart() -> None:
    assert not fit_axis([10.0, 50.0]).log
    assert fit_axis([10.0, 500.0]).log
    assert fit_axis([]) == fit_axis([0.0, math.inf]) == Axis(0.0, 1.0, False)


def test_plots_draw_what_the_figures_say() -> None:
    axis = Axis(0.0, 100.0, False)
    strip = strip_svg(axis, Interval(40.0, 35.0, 50.0), samples=[38.0, 40.0, 99.0, 400.0], tail=90.0, limit=60.0)
    assert '<circle class="dot" cx="40.00%"' in strip
    assert 'class="interval" x="35.00%" y="6" width="15.00%"' in strip
    assert 'class="mark" x1="90.00%"' in strip
    assert 'class="limit" x1="60.00%"' in strip
    assert 'd="M380 4v10M400 4v10M990 4v10"' in strip  # the last sample is outside
    stack = stack_svg(axis, [(0, 10.0), (2, 30.0)])
    assert 'class="part c0" x="0.00%" y="3" width="10.00%"' in stack
    assert 'class="part c2" x="10.00%" y="3" width="30.00%"' in stack
    assert ">100 ms</text>" in axis_svg(axis, "ms")


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (digits(1234.5), "1234"),
        (digits(41.26), "41.3"),
        (digits(9.999), "10.0"),
        (digits(0.04567), "0.0457"),
        (digits(3.2e-7), "3.2e-07"),
        (digits(0.0), "0"),
        (share(0.0142), "1.42 %"),
        (share(3e-7), "< 0.001 %"),
        (share(0.0), "0 %"),
        (amount(None, "ms"), "–"),
        (amount(math.inf, "share"), "infinite"),
        (amount(math.nan, "ms"), "no number"),
        (amount(512.4, "MiB"), "512 MiB"),
        (between(Interval(1, 0.9, 1.1), "ms"), "0.900–1.10 ms"),
        (times(2.14), "2.1×"),
        (times(1.024), "1.02×"),
        (times(13.7), "14×"),
        (times(0.051), "0.051×"),
    ],
)
def test_figures_are_written_with_the_digits_that_count(found: str, text: str) -> None:
    assert found == text


def test_a_latency_is_found_by_its_scope() -> None:
    subject = whole().subjects[0]
    assert [found.scope for scope in ("host", "rate") if (found := latency_in(subject, scope))] == ["host", "rate"]
    assert latency_in(subject, "gpu") is None
