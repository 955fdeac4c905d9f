"""The service bounds what it takes and reads weights once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from served import IMAGE, PHOTO, served
from starlette.testclient import TestClient

from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.model.depth_model import DepthModel
from depthrt.serve.service import Service
from depthrt.serve.settings import Settings

WAIT_S = 20.0


@dataclass
class Held:
    held_bytes: int = 0


def service_of_client(client: TestClient) -> Service:
    found: Service = client.app.state.service  # type: ignore[attr-defined]
    return found


def test_a_full_service_refuses_at_once_and_answers_what_it_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    go, run = threading.Event(), DepthModel.run

    def slow(self: DepthModel, prepared: Any) -> Any:  # noqa: ANN401
        go.wait(WAIT_S)
        return run(self, prepared)

    with served(Settings(threads=1, workers=1, waiting=1)) as client, ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(DepthModel, "run", slow)
        post: Callable[[], Any] = lambda: client.post("/v1/depth", content=PHOTO, headers=IMAGE)  # noqa: E731
        accepted = [pool.submit(post) for _ in range(2)]
        while service_of_client(client).queue.held < 2:
            pass
        refused = post()
        assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1
        go.set()
        assert [one.result().status_code for one in accepted] == [200, 200]
        assert service_of_client(client).bodies.held_bytes == 0


def test_a_request_that_takes_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    with served(Settings(threads=1, workers=1, timeout_s=0.1)) as client:
        monkeypatch.setattr(DepthModel, "run", lambda *_: go.wait(WAIT_S))
        answer = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
        go.set()
        assert (answer.status_code, answer.json()["code"]) == (503, "timeout") and answer.headers["Retry-After"]


def test_answers_that_nobody_reads_stop_further_work(client: TestClient) -> None:
    service, held = service_of_client(client), Held()
    service.bodies.hold(held, service.settings.bodies_bytes - len(PHOTO) + 1)
    try:
        answer = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
    finally:
        service.bodies.free(held)
    assert (answer.status_code, answer.json()["code"]) == (503, "memory") and answer.headers["Retry-After"]
    assert client.post("/v1/depth", content=PHOTO, headers=IMAGE).status_code == 200


def test_a_second_request_opens_no_file(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
    opened: list[object] = []
    import builtins
    import io

    real = io.open

    def seen(path: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401
        opened.append(path)
        return real(path, *rest, **more)

    monkeypatch.setattr(builtins, "open", seen)
    monkeypatch.setattr(io, "open", seen)
    second = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
    assert second.content == first.content and opened == []


@pytest.mark.parametrize("error", [BackendUnavailable("no memory at /dev/shm/secret"), MemoryError()])
def test_a_machine_short_of_memory_is_an_honest_503(
    client: TestClient, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object) -> None:
        raise error

    monkeypatch.setattr(DepthModel, "run", short)
    answer = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
    assert (answer.status_code, answer.json()["code"]) == (503, "memory") and "secret" not in answer.text
    assert answer.headers["Retry-After"]


def test_what_the_engine_refuses_is_logged_and_not_told(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("raise max_aspect (--max-aspect)")

    monkeypatch.setattr(DepthModel, "run", refuse)
    answer = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
    assert (answer.status_code, answer.json()["code"]) == (422, "refused") and "--" not in answer.text
    assert any(record.exc_info for record in caplog.records)
