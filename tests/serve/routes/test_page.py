"""The page loads nothing from elsewhere and has the study's fields."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient


def test_the_page_has_the_studys_form(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert set(re.findall(r'name="(\w+)"', answer.text)) == {"viewport", "file", "augment", "otype", "pretrained"}
    assert set(re.findall(r'<label for="(\w+)"', answer.text)) == {"file", "augment", "otype", "pretrained"}


def test_a_browser_that_has_a_file_gets_no_second_copy(client: TestClient) -> None:
    first = client.get("/page/page.css")
    assert first.headers["Content-Type"] == "text/css; charset=utf-8" and first.headers["Cache-Control"] == "no-cache"
    again = client.get("/page/page.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["", "nothing.css", "../settings.py", "%2e%2e/settings.py", "/etc/passwd", f"{Path(__file__)}", "page.css/"]
)
def test_nothing_else_has_an_address(client: TestClient, path: str) -> None:
    assert client.get(f"/page/{path}").status_code == 404


def test_the_page_loads_only_what_the_service_has(client: TestClient) -> None:
    page = client.get("/").text
    assert "http:" not in page and "https:" not in page and "<script" not in page and "style=" not in page
    for address in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert client.get(f"/{address}").status_code == 200
