"""The services that the tests of this folder share; each loads its model once a test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from served import MOST_CONNECTIONS, served
from starlette.testclient import TestClient
from tiny_model import TinyModel

from depthrt.bench.load.server_process import ServerProcess, open_server
from depthrt.serve.settings import Settings


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """A service of the model that comes with depthrt."""
    with served(Settings(threads=1, max_body_mib=4)) as found:
        yield found


@pytest.fixture(scope="session")
def metric_client(tiny: TinyModel, tiny_metric: TinyModel) -> Iterator[TestClient]:
    """A service of a metric model and, under two names, of a relative one."""
    models = {"metres": tiny_metric.onnx, "mirror": tiny.onnx, "pretrained-mirror": tiny.onnx}
    with served(Settings(models=models, threads=1)) as found:
        yield found


@pytest.fixture(scope="session")
def process(tiny: TinyModel, tiny_metric: TinyModel) -> Iterator[ServerProcess]:
    """`depthrt serve` in its own process: a relative model and a metric one, with narrow limits."""
    models = ("-m", f"mirror={tiny.onnx}", "-m", f"metres={tiny_metric.onnx}")
    limits = ("--max-body-mib", "4", "--max-connections", str(MOST_CONNECTIONS), "--upload-timeout", "3")
    with open_server([*models, *limits, "--threads", "1"]) as found:
        yield found
