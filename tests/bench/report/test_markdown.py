"""A report as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from made_report import (
    BF16,
    make_constant,
    make_report,
)

from depthrt.bench.numbers.result import Report
from depthrt.bench.report.markdown import to_markdown

NASTY = '<script>alert("1")</script> & |x|'


@cache
def whole() -> Report:
    return make_report()


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head() -> None:
    report = replace(whole(), subjects=(*whole().subjects, make_constant(NASTY, 5.0)))
    found = to_markdown(report)
    assert "<script" not in found.replace("\\<script", "")
    for block in re.findall(r"(?:^\|.*\n)+", found, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_markdown_begins_with_the_verdict_and_ends_with_how_to_make_it_again() -> None:
    lines = to_markdown(whole()).splitlines()
    assert lines[2].startswith(f"**{BF16} is the fastest")
    assert whole().made.command in lines
    assert lines[-1].startswith("commit d8347b9")


def test_words_stand_at_the_left_and_figures_at_the_right() -> None:
    sides: dict[str, str] = {}
    for block in re.findall(r"(?:^\|.*\n)+", to_markdown(whole()), re.MULTILINE):
        head, marks, *rows = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines())
        for name, mark, *cells in zip(head, marks, *rows, strict=True):
            sides[name] = mark.strip("| ")
            if all(cell[:1].isdigit() for cell in cells):
                assert sides[name] == "--:", name
    assert [sides[name] for name in ("subject", "scope", "precision", "p50")] == [":--", ":--", ":--", "--:"]
