"""Requests are what the service takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from refusal import refusal
from tiny_model import PHOTOS

from depthrt.bench.load.clients import run_clients
from depthrt.bench.load.requests import FORMS, Form, make_request, read_photos
from depthrt.bench.load.server_process import ServerProcess
from depthrt.engine.modelfile.shipped import PHOTO

COFFEE = PHOTOS / "coffee.jpg"


@pytest.mark.parametrize("form", FORMS)
def test_the_service_answers_either_form(server: ServerProcess, form: Form) -> None:
    requests = [make_request(COFFEE.read_bytes(), form)]
    load = run_clients((server.host, server.port), requests, clients=1, seconds=0, at_least=1)
    (answer,) = load.answers
    assert answer.status == 200 and answer.size_bytes > 1000, load.errors


def test_a_field_of_the_form_reaches_the_service(server: ServerProcess) -> None:
    requests = [make_request(COFFEE.read_bytes(), "form", [("pretrained", "perhaps")])]
    load = run_clients((server.host, server.port), requests, clients=1, seconds=0, at_least=1)
    assert load.errors == ["status 422"]


def test_photographs_are_files_or_the_one_that_comes_with_depthrt(tmp_path: Path) -> None:
    assert read_photos([]) == [PHOTO.read_bytes()]
    assert len(read_photos([str(PHOTOS)])) == len(list(PHOTOS.glob("*.jpg")))
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.jpg").write_text("text")
    assert "no image" in refusal(lambda: read_photos([str(tmp_path / "empty")]))
    assert "text.jpg" in refusal(lambda: read_photos([str(tmp_path / "text.jpg")]))
