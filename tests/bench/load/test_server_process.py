"""The server under load is a process of which memory and CPU time are known."""

from __future__ import annotations

import pytest
from tiny_model import PHOTOS

from depthrt.bench.load.clients import run_clients
from depthrt.bench.load.requests import make_request
from depthrt.bench.load.server_process import ServerProcess, open_server
from depthrt.engine.errors import DepthrtError

PHOTO = (PHOTOS / "coffee.jpg").read_bytes()


def test_work_takes_cpu_time_and_memory_stays_below_its_peak(server: ServerProcess) -> None:
    before_s = server.cpu_s()
    run_clients((server.host, server.port), [make_request(PHOTO, "npy")], clients=1, seconds=0, at_least=3)
    assert server.cpu_s() > before_s
    assert 0 < server.memory_mib() <= server.peak_mib()


def test_a_process_that_is_gone_has_used_nothing() -> None:
    gone = ServerProcess("127.0.0.1", 1, pid=-1)
    assert (gone.cpu_s(), gone.memory_mib(), gone.peak_mib()) == (0, 0, 0)


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(DepthrtError, match=r"did not start: error: missing\.onnx does not exist"), \
            open_server(["-m", "missing.onnx"]):  # fmt: skip
        pass
