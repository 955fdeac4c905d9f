"""A server that the tests of this folder share, in its own process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tiny_model import TinyModel

from depthrt.bench.load.server_process import ServerProcess, open_server


@pytest.fixture(scope="session")
def server(tiny: TinyModel) -> Iterator[ServerProcess]:
    """A relative model as mirror, and again as pretrained-mirror; one worker, two places to wait."""
    models = ("-m", f"mirror={tiny.onnx}", "-m", f"pretrained-mirror={tiny.onnx}")
    with open_server([*models, "--threads", "1", "--workers", "1", "--queue", "2"]) as found:
        yield found
