from __future__ import annotations

import base64
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_report import (
    BF16,
    make_accuracy,
    make_constant,
    make_pictures,
    make_report,
)

from depthrt.bench.numbers.result import METRICS, Picture, Report, SubjectResult
from depthrt.bench.numbers.result_file import read_result
from depthrt.bench.report.markdown import to_markdown
from depthrt.bench.report.page import to_html, write_report
from depthrt.bench.report.summary import summarise_report
from depthrt.engine.errors import BackendUnavailable, InputError

NAMES = ["report.html", "report.json", "report.md"]
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


def of_two(subject: SubjectResult, *, reference: str) -> Report:
    return replace(whole(), subjects=(make_constant("a", 3.0), subject), reference=reference, warnings=())


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


def test_a_picture_is_named_by_its_subject_and_described_by_its_title() -> None:
    found = to_html(whole(), [Picture("fp16", "worst.jpg", b"a picture")])
    source = base64.b64encode(b"a picture").decode()
    assert f'src="data:image/jpeg;base64,{source}" alt="worst.jpg"' in found
    assert "<figcaption>fp16: worst.jpg</figcaption>" in found


def test_the_images_of_a_subject_and_data_set_are_listed_with_the_largest_error_first() -> None:
    accuracy = make_accuracy(0.1, images=20)
    found = to_html(replace(whole(), subjects=(replace(whole().subjects[0], accuracy=(accuracy,)),)))
    _, _, table = found.partition(f"<summary>Each image: {whole().subjects[0].name} on nyu")
    table = table.partition("</table>")[0]
    columns = [name.replace("delta", "δ") for name in METRICS]
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)', table) == ["image", *columns]
    worst_first = sorted(accuracy.images, key=lambda image: -image.metrics["abs_rel"])
    assert re.findall(r'<th scope="row">([^<]*)', table) == [image.image for image in worst_first]


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
        lambda: of_two(make_constant("b", 4.0), reference=""),
        lambda: of_two(make_constant("b", 2.0, drift=math.inf), reference="a"),
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
    assert [path.name for path in (files.html, files.json, files.markdown)] == NAMES
    assert sorted(path.name for path in files.html.parent.iterdir()) == NAMES
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


def test_a_narrow_screen_gets_a_block_for_each_row_of_every_table() -> None:
    found = page()
    narrow = found[found.index("(max-width: 640px)") : found.index("@media print")]
    for rule in (
        "table thead { display: none; }",
        "table, table tbody { display: block; }",
        "content: attr(data-label)",
    ):
        assert rule in narrow
    assert "white-space: normal; min-width: 0" in narrow  # between words, and no figure makes the page wider
    cells = re.findall(r"<td[^>]*>", found)
    assert cells and all("data-label=" in cell for cell in cells)
    unbroken = re.search(r"^(.+) \{ overflow-wrap: anywhere; \}$", found, re.MULTILINE)
    assert unbroken is not None and {"p", "li", "summary", "h2"} <= set(unbroken[1].split(", "))  # they hold file names
