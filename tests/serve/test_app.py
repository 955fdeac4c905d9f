"""The app answers every address in one way, with or without a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from served import IMAGE, PHOTO, served
from starlette.testclient import TestClient
from tiny_model import TinyModel

from depthrt.serve.app import create_app
from depthrt.serve.service import Service
from depthrt.serve.settings import Settings

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def locked(tiny: TinyModel) -> Iterator[TestClient]:
    with served(Settings(models={"a": tiny.onnx}, threads=1, api_key=KEY)) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/nothing", 404, "no_such_address"),
        ("GET", "/../../etc/passwd", 404, "no_such_address"),
        ("GET", "/docs", 404, "no_such_address"),
        ("GET", "/infer", 405, "wrong_method"),
        ("DELETE", "/v1/depth", 405, "wrong_method"),
    ],
)
def test_errors_of_addresses_are_json_too(
    client: TestClient, method: str, address: str, status: int, code: str
) -> None:
    answer = client.request(method, address)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "/infer"),
        ("POST", "/v1/depth"),
        ("POST", "/v1/pointcloud"),
        ("GET", "/models"),
        ("GET", "/metrics"),
        ("GET", "/v2/models/a"),
        ("POST", "/v2/models/a/infer"),
    ],
)
def test_a_key_locks_everything_but_health_and_page(locked: TestClient, method: str, address: str) -> None:
    answer = locked.request(method, address)
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert locked.request(method, address, headers={"X-API-Key": KEY}).status_code != 401
    for open_to_all in ("/healthz", "/readyz", "/v2/health/ready", "/"):
        assert locked.get(open_to_all).status_code == 200


def test_the_key_opens_depth(locked: TestClient) -> None:
    headers = {**IMAGE, "Authorization": f"Bearer {KEY}"}
    assert locked.post("/v1/depth", content=PHOTO, headers=headers).status_code == 200


def test_the_app_closes_its_service(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Service] = []

    def close(self: Service) -> None:
        closed.append(self)

    monkeypatch.setattr(Service, "close", close)
    service = Service(Settings(models={"a": tiny.onnx}, threads=1))
    with TestClient(create_app(service)):
        assert closed == []
    assert closed == [service]
    monkeypatch.undo()
    service.close()
