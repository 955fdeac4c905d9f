"""The page loads nothing from elsewhere and has the study's fields."""

from __future__ import annotations

import re

from starlette.testclient import TestClient


def test_the_page_has_the_studys_form(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert set(re.findall(r'name="(\w+)"', answer.text)) == {"viewport", "file", "augment", "otype", "pretrained"}
    assert set(re.findall(r'<label for="(\w+)"', answer.text)) == {"file", "augment", "otype", "pretrained"}


def test_the_page_loads_only_what_the_service_has(client: TestClient) -> None:
    page = client.get("/").text
    assert "http:" not in page and "https:" not in page and "<script" not in page and "style=" not in page
    for address in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert client.get(f"/{address}").status_code == 200
