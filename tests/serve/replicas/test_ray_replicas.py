"""Two replicas of Ray Serve answer as one process does; one that is killed loses no request, nor does SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from made_image import crop_of_photo
from served import IMAGE, PHOTO
from starlette.testclient import TestClient
from started import WAIT_S, Started, started

from depthrt.engine.images.write import encode_image

if find_spec("ray") is None:
    pytest.skip("Ray Serve is NOT tested: pip install 'depthrt[ray]'", allow_module_level=True)

LARGE = encode_image(crop_of_photo().repeat(6, 0).repeat(6, 1), ".png")
WIDE = encode_image(np.zeros((4, 400, 3), np.uint8), ".png")
CLIENTS = 8
FOLDERS_BEFORE = set(Path("/tmp").glob("depthrt-ray-*"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    errors = tmp_path_factory.mktemp("ray") / "errors"
    with started(errors, "--ray", "--replicas", "2", "--max-body-mib", "4") as found:
        yield found


def replicas_of(service: Started) -> set[int]:
    """The processes that answered so far."""
    found = [line["replica"] for line in service.lines() if line.get("route") == "/v1/depth" and line["replica"]]
    return {int(name.removeprefix("process ")) for name in found}


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def metric(service: Started, line: str) -> bool:
    return line in service.get("/metrics")[1].decode().splitlines()


def test_both_replicas_answer_and_the_answers_are_those_of_one_process(service: Started, client: TestClient) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(service.post, [PHOTO] * 8))
    expected = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
    for status, body, headers in found:
        assert status == 200 and body == expected.content
        assert headers.keys() - {"date", "connection"} == set(expected.headers.keys())
    assert len(replicas_of(service)) == 2 and metric(service, "depthrt_replicas 2.0")
    assert metric(service, 'depthrt_depth_valid_share_count{model="default"} 8.0')
    assert json.loads(service.get("/models")[1]) == client.get("/models").json()


@pytest.mark.parametrize(
    ("content", "query", "status", "code"),
    [
        (b"no image", "", 415, "not_an_image"),
        (PHOTO, "?model=other", 422, "unknown_model"),
        (PHOTO, "?fov=60", 422, "no_focal"),
        (WIDE, "", 422, "long_image"),
    ],
)
def test_refusals_are_those_of_one_process(
    service: Started, client: TestClient, content: bytes, query: str, status: int, code: str
) -> None:
    found, expected = service.post(content, query), client.post(f"/v1/depth{query}", content=content, headers=IMAGE)
    assert (found[0], json.loads(found[1])["error"]) == (expected.status_code, expected.json()["error"])
    assert (found[0], json.loads(found[1])["code"]) == (status, code)


def test_a_replica_that_is_killed_loses_no_request_and_is_replaced(service: Started) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        before = replicas_of(service)
        answers = [pool.submit(service.post, LARGE) for _ in range(CLIENTS)]
        until(lambda: metric(service, f"depthrt_queue_jobs {CLIENTS:.1f}"))
        os.kill(min(before), signal.SIGKILL)
        assert [answer.result()[0] for answer in answers] == [200] * len(answers)
        assert "a replica ended at work" in [line["message"] for line in service.lines()]
        until(lambda: metric(service, "depthrt_replicas 1.0"))
        until(lambda: metric(service, "depthrt_replicas 2.0"))
        until(lambda: service.post(PHOTO)[0] == 200 and len(replicas_of(service)) == 3)
    assert service.get("/readyz")[0] == 200


def test_a_signal_under_load_loses_no_accepted_request_and_leaves_no_process(service: Started) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [pool.submit(service.post, LARGE) for _ in range(CLIENTS)]
        until(lambda: metric(service, f"depthrt_queue_jobs {CLIENTS:.1f}"))
        assert service.stop(signal.SIGTERM) == 128 + signal.SIGTERM
        assert [answer.result()[0] for answer in answers] == [200] * CLIENTS
    assert service.lines()[-1]["message"] == "stopped"
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in replicas_of(service)))
    assert set(Path("/tmp").glob("depthrt-ray-*")) <= FOLDERS_BEFORE, "what Ray wrote is left"
