"""Engines that the tests of this folder share; each is built once a test run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from on_standin import NO_RTX, RANGE, RTX
from tiny_model import TinyModel

from depthrt.engine.trt.build.build import build_engine
from depthrt.engine.trt.build_options import BuildOptions


@pytest.fixture(scope="session")
def library(standin: Path) -> Path:
    """The stand-in for the driver; skips where no engine can be built."""
    if find_spec(RTX) is None:
        pytest.skip(NO_RTX)
    return standin


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[TinyModel, BuildOptions], Path]:
    """Builds an engine of a model, unless it was built before."""
    folder, built = tmp_path_factory.mktemp("engines"), dict[tuple[Path, BuildOptions], Path]()

    def find_or_build(tiny: TinyModel, options: BuildOptions) -> Path:
        if (tiny.onnx, options) not in built:
            path = folder / f"{len(built)}.engine"
            built[tiny.onnx, options] = build_engine(tiny.onnx, path, options=options).path
        return built[tiny.onnx, options]

    return find_or_build


@pytest.fixture
def engine(library: Path, build: Callable[[TinyModel, BuildOptions], Path], tiny: TinyModel) -> Path:
    """An engine of the dynamic model, for one image or two, 126x126 to 224x224."""
    return build(tiny, replace(RANGE, batch=(1, 1, 2)))
