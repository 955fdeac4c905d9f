"""The program listens where it is told, and SIGTERM loses no request that it accepted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from made_image import crop_of_photo
from refusal import refusal
from served import read_npy
from tiny_model import TinyModel

from depthrt.engine.images.write import encode_image
from depthrt.serve import program as program_module
from depthrt.serve.program import address_of, bind, serve
from depthrt.serve.service import Service
from depthrt.serve.settings import Settings

WAIT_S = 60
CLIENTS = 6


@contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `depthrt serve` and give its address once it is ready."""
    command = [sys.executable, "-m", "depthrt", "serve", "--port", "0", "--threads", "1", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=os.environ | {"PORT": "1"}) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def post(address: str, content: bytes) -> int:
    request = Request(f"{address}/v1/depth", content, {"Content-Type": "image/png"})
    try:
        with urlopen(request, timeout=WAIT_S) as answer:
            assert read_npy(answer.read()).size
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_signal_under_load_loses_no_accepted_request() -> None:
    photo = encode_image(crop_of_photo().repeat(6, 0).repeat(6, 1), ".png")
    with program("--workers", "1") as (process, address), ThreadPoolExecutor(CLIENTS) as pool:
        assert post(address, photo) == 200
        answers = [pool.submit(post, address, photo) for _ in range(CLIENTS)]
        while "depthrt_queue_jobs 6.0" not in urlopen(f"{address}/metrics", timeout=WAIT_S).read().decode():
            assert not all(answer.done() for answer in answers), "they were too fast to be caught"
        process.send_signal(signal.SIGTERM)
        assert [answer.result() for answer in answers] == [200] * CLIENTS
        lines = [json.loads(line) for line in process.communicate(timeout=WAIT_S)[1].splitlines()]
        assert process.returncode == 128 + signal.SIGTERM
    assert lines[-1]["message"] == "stopped"
    assert sum(line["message"] == "request" and line["route"] == "/v1/depth" for line in lines) == CLIENTS + 1


def test_an_address_that_is_taken_is_named() -> None:
    with bind("127.0.0.1", 0) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        assert f"127.0.0.1 port {port} cannot be listened on" in refusal(lambda: bind("127.0.0.1", port))


def test_an_address_that_another_program_takes_while_models_load_is_named(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bind("127.0.0.1", 0) as other:

        def load(*options: Any) -> Service:  # noqa: ANN401
            other.listen()
            return Service(*options)

        monkeypatch.setattr(program_module, "Service", load)
        settings = Settings(models={"a": tiny.onnx}, threads=1)
        port = other.getsockname()[1]
        message = refusal(lambda: serve(settings, host="127.0.0.1", port=port, on_ready=pytest.fail))
    assert message.startswith("the address cannot be listened on: ") and message.endswith(
        "give another --host or --port"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no such name", "a" * 300])
def test_an_address_of_another_machine_is_named(host: str) -> None:
    assert "give another --host or --port" in refusal(lambda: bind(host, 0))


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")],
)
def test_the_address_is_one_that_a_browser_takes(host: str, address: str) -> None:
    assert address_of(host, 80) == address
