"""Whether the service is well can be asked, and what it serves."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from depthrt.serve.service import Service


def test_it_lives_and_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_service_that_stops_lives_and_is_not_ready(client: TestClient) -> None:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    service.draining = True
    try:
        assert client.get("/healthz").status_code == 200
        for address in ("/readyz", "/v2/health/ready", "/v2/models/default/ready"):
            assert client.get(address).status_code == 503
    finally:
        service.draining = False


def test_a_service_whose_replicas_have_all_ended_is_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    monkeypatch.setattr(service.replicas, "running", 0)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "no replica runs"})


def test_models_are_listed_with_their_roles(client: TestClient, metric_client: TestClient) -> None:
    (only,) = client.get("/models").json()["models"]
    assert (only["name"], len(only["roles"])) == ("default", 6) and only["canary"].startswith("drift")
    several = metric_client.get("/models").json()["models"]
    assert [one["roles"] for one in several] == [[], ["mirror"], ["pretrained-mirror"]]
    assert several[1]["sha256"] == several[2]["sha256"] != several[0]["sha256"]


def test_limits_are_listed_beside_the_models(client: TestClient) -> None:
    assert client.get("/models").json()["limits"] == {
        "max_body_bytes": 4 * 2**20,
        "max_pixels": 25_000_000,
        "max_aspect": 8.0,
    }


def test_metrics_are_text_for_prometheus(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "depthrt_queue_most_jobs 34.0" in answer.text
