"""Templates of pages, and the pictures that fit a page."""

from __future__ import annotations

import sys

import pytest

from depthrt.bench.numbers.result import Picture
from depthrt.bench.report.template import PICTURES_BYTES, need_jinja2, render, show_pictures
from depthrt.engine.errors import BackendUnavailable


def test_pictures_are_shown_while_they_fit() -> None:
    third = Picture("m", "t", b"x" * (PICTURES_BYTES // 3))
    assert len(show_pictures([third] * 5)) == 3
    assert show_pictures([Picture("m", "t", b"abc")])[0].base64 == "YWJj"


def test_a_page_that_lacks_a_value_is_a_bug() -> None:
    with pytest.raises(need_jinja2().UndefinedError):
        render("evaluation.html.j2")


def test_without_jinja2_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(BackendUnavailable, match=r"the report needs jinja2: pip install 'depthrt\[bench\]'"):
        need_jinja2()
