"""Kernel times are kept for the next build, and what TensorRT refuses costs no build."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from depthrt.engine.cuda.driver.driver import Gpu
from depthrt.engine.trt.build.timing_cache import load_timing_cache, save_timing_cache
from depthrt.engine.trt.library import TensorRT

GPU = Gpu("NVIDIA L4", "8.9")
REFUSED, FOREIGN = b"damaged", b"of another GPU"


class TimingCache:
    """The times of some kernels, or none."""

    def __init__(self, times: bytes) -> None:
        self.times = times

    def serialize(self) -> bytes:
        return self.times


class BuilderConfig:
    """What the full TensorRT's does with timing caches: a damaged one is None, and no cache is a TypeError."""

    used: TimingCache

    def create_timing_cache(self, serialized_timing_cache: bytes) -> TimingCache | None:
        return None if serialized_timing_cache == REFUSED else TimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        if cache is None:
            raise TypeError("set_timing_cache(): incompatible function arguments")
        if cache.times == FOREIGN and not ignore_mismatch:
            return False
        self.used = cache
        return True

    def get_timing_cache(self) -> TimingCache:
        return self.used


@pytest.mark.parametrize(("kept", "used"), [(b"", b""), (b"times", b"times"), (FOREIGN, b""), (REFUSED, b"")], ids=repr)
def test_kept_times_are_used_where_tensorrt_takes_them(
    kept: bytes, used: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path))
    trt = TensorRT(SimpleNamespace(IBuilderConfig=BuilderConfig, __version__="10.13"), "tensorrt", None)
    path = load_timing_cache(trt, BuilderConfig(), GPU)
    assert path is not None
    path.write_bytes(kept)
    config = BuilderConfig()
    assert load_timing_cache(trt, config, GPU) == path and config.used.times == used
    config.used = TimingCache(b"measured")
    save_timing_cache(path, config)
    assert path.read_bytes() == b"measured"


def test_times_are_kept_for_one_version_and_one_model_of_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path))
    paths = {
        load_timing_cache(
            TensorRT(SimpleNamespace(IBuilderConfig=BuilderConfig, __version__=version), "tensorrt", None),
            BuilderConfig(),
            gpu,
        )
        for version in ("10.13", "10.14")
        for gpu in (GPU, Gpu("NVIDIA L40", "8.9"), Gpu("NVIDIA L4", "9.0"))
    }
    assert None not in paths and len(paths) == 6
