"""The page loads nothing from elsewhere and has the study's fields; its files, and no others, have an address."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from depthrt.serve.infer.roles import AUGMENTS

FOLDER = Path(__file__).resolve().parents[3] / "serve" / "page"
MOST_SAMPLES_BYTES = 300_000  # they are part of the package


def test_the_page_has_the_studys_form(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<form id="panel" class="panel" action="infer" method="post" enctype="multipart/form-data"' in answer.text
    offered = defaultdict(set)
    for tag in re.findall(r"<(?:input|select|textarea)[^>]* name=[^>]*>", answer.text):
        if "disabled" not in tag:  # those wait for scripts
            found = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            offered[found["name"]].add(found.get("value"))
    assert offered == {
        "file": {None},
        "augment": set(AUGMENTS),
        "otype": {"grayscale", "colormap"},
        "pretrained": {"true", "false"},
    }


def test_every_field_has_a_label(client: TestClient) -> None:
    page = client.get("/").text
    labels = set(re.findall(r'<label for="([\w-]+)"', page))
    for tag in re.findall(r"<(?:input|select)[^>]*>", page):
        assert "aria-label=" in tag or re.search(r' id="([\w-]+)"', tag)[1] in labels, tag  # type: ignore[index]


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
    assert "http:" not in page and "https:" not in page and "style=" not in page
    assert re.findall(r"<script[^>]*>", page) == ['<script type="module" src="page/app.js">']
    for address in re.findall(r'(?:href|src)="([^"#]+)"', page):
        assert client.get(f"/{address}").status_code == 200, address


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.js")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_every_module_says_what_it_is_and_imports_only_its_neighbours(client: TestClient, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("// ")
    for name in re.findall(r'(?:from|import\()\s*"([^"]+)"', text):
        found = (file.parent / name).resolve().relative_to(FOLDER).as_posix()
        answer = client.get(f"/page/{found}")
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/javascript; charset=utf-8", name


def test_the_samples_are_small_and_their_licences_are_told(client: TestClient) -> None:
    licences = client.get("/page/samples/README.txt").text
    samples = list((FOLDER / "samples").glob("*.jpg"))
    assert all(sample.name in licences for sample in samples)
    assert sum(sample.stat().st_size for sample in samples) < MOST_SAMPLES_BYTES
