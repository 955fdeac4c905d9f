"""Model files that many tests share: exported once a test run from tiny random networks."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from build_pycuda import why_missing
from kernels_on_host import NO_COMPILER, find_compiler
from random_checkpoint import VITS
from standin import FOREIGN, compile_standin
from time_limit import computes_exactly, scheduling, time_limit
from tiny_model import TinyModel, export_again, export_tiny

import depthrt

if TYPE_CHECKING:
    from depthrt.export.to_onnx import Exported


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests, and the programs they start, out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPTHRT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _ends_as_it_began(request: pytest.FixtureRequest) -> Iterator[None]:
    """Limit a test's time, and refuse one that leaves its process real-time or without denormal numbers."""
    before = scheduling()
    with time_limit(request.node.nodeid):
        yield
    assert scheduling() == before, "the test changed the scheduling of its process; every later test inherits that"
    assert computes_exactly(), "the test left its process without denormal numbers; every later test inherits that"


@pytest.fixture(scope="session", autouse=True)
def _heard_ctrl_c() -> Iterator[None]:
    """Listen to SIGINT, which a shell mutes for what it runs in the background, and so for the programs of tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V2, inverse, dynamic, short side 126 px."""
    return export_tiny(tmp_path_factory.mktemp("tiny"), size=126)


@pytest.fixture(scope="session")
def tiny_metric(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V2, metric up to 20 m, dynamic, short side 126 px."""
    return export_tiny(tmp_path_factory.mktemp("metric"), size=126, max_depth_m=20.0)


@pytest.fixture(scope="session")
def tiny_static(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V2, inverse, static 126x196."""
    return export_tiny(tmp_path_factory.mktemp("static"), size=(126, 196))


@pytest.fixture(scope="session")
def tiny_half(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V2, inverse, static 126x196, in float16."""
    return export_tiny(tmp_path_factory.mktemp("half"), size=(126, 196), precision="fp16")


@pytest.fixture(scope="session")
def tiny_safe(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Depth Anything V2, inverse, static 126x196, in float16 with norms and softmax in float32; attention is plain."""
    return export_again(tiny, tmp_path_factory.mktemp("safe") / "safe.onnx", size=(126, 196), precision="fp16-safe")


@pytest.fixture(scope="session")
def tiny_sky(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything 3, metric with a focal length, with sky, dynamic, long side 140 px."""
    from random_depth_anything3 import TINY_SKY, export_da3

    return export_da3(TINY_SKY, tmp_path_factory.mktemp("sky"), kind="metric", size=140)


@pytest.fixture(scope="session")
def tiny_bf16(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Depth Anything V2, inverse, static 126x196, in bfloat16."""
    return export_again(tiny, tmp_path_factory.mktemp("bf16") / "bf16.onnx", size=(126, 196), precision="bf16")


@pytest.fixture(scope="session")
def vits_half(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V2 Small with random weights, inverse, static 126x168, in float16."""
    return export_tiny(tmp_path_factory.mktemp("vits"), architecture=VITS, size=(126, 168), precision="fp16")


@pytest.fixture(scope="session")
def default_half(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """The model that comes with depthrt, static 96x128, in float16."""
    from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint
    from depthrt.export.to_onnx import export_onnx
    from depthrt.finetune.shipped_checkpoint import write_shipped_checkpoint

    folder = tmp_path_factory.mktemp("default")
    path = write_shipped_checkpoint(folder / "default.safetensors")
    checkpoint = read_checkpoint(path)
    export_onnx(checkpoint, folder / "default.onnx", size=(96, 128), precision="fp16")
    return TinyModel(path, folder / "default.onnx", load_network(checkpoint).state_dict())


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for the CUDA driver, for tests with the true pycuda; skipped if either cannot be built."""
    reason = why_missing() or (NO_COMPILER if find_compiler() is None else None)
    if reason is not None:
        pytest.skip(f"the CUDA runtime is NOT tested: {reason}")
    return compile_standin(tmp_path_factory.mktemp("standin"))


@pytest.fixture(scope="session")
def foreign(standin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for the CUDA driver with streams and memory of another library; skipped if `standin` is."""
    return compile_standin(tmp_path_factory.mktemp("foreign"), FOREIGN)


@pytest.fixture
def model(tiny: TinyModel) -> Iterator[depthrt.DepthModel]:
    with depthrt.load(tiny.onnx) as loaded:
        yield loaded
