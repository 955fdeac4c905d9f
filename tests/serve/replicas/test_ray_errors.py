"""The error of a replica is told as in one process."""

from __future__ import annotations

from depthrt.engine.errors import BackendUnavailable, ModelFileError
from depthrt.serve.replicas.ray_errors import error_of


def test_the_error_of_a_replica_keeps_its_kind_and_its_line() -> None:
    found = error_of("failed: Traceback ...\ndepthrt.engine.errors.ModelFileError: a.onnx is cut; export it\n  in ray")
    assert isinstance(found, ModelFileError) and str(found) == "a.onnx is cut; export it"


def test_another_error_of_ray_is_one_line() -> None:
    found = error_of("no CPU\n is free\n")
    assert isinstance(found, BackendUnavailable) and str(found).endswith("replicas: no CPU is free")
