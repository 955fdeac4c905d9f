"""A file that somebody exported with transformers, and the same in our names, for all tests of adopting."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_foreign import export_theirs, in_our_names


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Depth Anything, inverse, dynamic: pixel_values to predicted_depth."""
    return export_theirs(tmp_path_factory.mktemp("theirs") / "model.onnx")


@pytest.fixture(scope="session")
def theirs_metric(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Depth Anything, metric up to 20 m, dynamic."""
    return export_theirs(tmp_path_factory.mktemp("metric") / "model.onnx", kind="metric")


@pytest.fixture(scope="session")
def renamed(theirs: Path) -> Path:
    """The inverse file in our names, without a contract."""
    return in_our_names(theirs, theirs.with_name("renamed.onnx"))


@pytest.fixture(scope="session")
def renamed_metric(theirs_metric: Path) -> Path:
    """The metric file in our names, without a contract."""
    return in_our_names(theirs_metric, theirs_metric.with_name("renamed.onnx"))
