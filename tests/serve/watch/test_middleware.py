"""Every answer has its id and the headers of security, and a bug tells clients nothing."""

from __future__ import annotations

import json
import logging

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from depthrt.serve.watch.metrics import Metrics
from depthrt.serve.watch.middleware import SECURITY, Watch
from depthrt.serve.watch.request_record import RequestRecord


def fails(request: Request) -> Response:
    raise KeyError("secret path /srv/models")


def works(request: Request) -> Response:
    return PlainTextResponse("fine", headers={"Cache-Control": "max-age=60"})


FREED: list[RequestRecord] = []


class Routes:
    """Calls the first route whose path is the request's."""

    def __init__(self) -> None:
        self._routes = {"/works": Route("/works", works), "/fails": Route("/fails", fails)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope["route"] = self._routes[scope["path"]]
        await route.app(scope, receive, send)


def make_client(*, draining: bool = False) -> tuple[TestClient, Metrics]:
    metrics = Metrics([], queued=lambda: 0, held_bytes=lambda: 0, most_queued=1, replicas=lambda: 1)
    app: ASGIApp = Watch(Routes(), metrics=metrics, draining=lambda: draining, free=FREED.append)
    return TestClient(app), metrics


def test_answers_carry_id_and_security() -> None:
    client, _ = make_client()
    answer = client.get("/works", headers={"X-Request-ID": "client-0001"})
    assert answer.headers["X-Request-ID"] == "client-0001" and answer.headers["Cache-Control"] == "max-age=60"
    assert SECURITY.items() <= {name: answer.headers[name] for name in SECURITY}.items()
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert "Connection" not in answer.headers
    assert FREED[-1].id == "client-0001", "what it held is free"


def test_a_service_that_stops_closes_its_connections() -> None:
    client, _ = make_client(draining=True)
    assert client.get("/works").headers["Connection"] == "close"


def test_a_bug_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    client, metrics = make_client()
    with caplog.at_level(logging.INFO, logger="depthrt.serve"):
        answer = client.get("/fails")
    assert answer.status_code == 500 and "secret" not in answer.text
    assert FREED[-1].id == answer.json()["request_id"] == answer.headers["X-Request-ID"]
    failed, request = caplog.records
    assert failed.exc_info and json.dumps(request.__dict__["fields"])
    assert request.__dict__["fields"]["code"] == "internal"
    assert 'depthrt_requests_total{route="/fails",status="500"} 1.0' in metrics.text().decode()
