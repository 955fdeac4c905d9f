"""The TensorRT that is installed: which flavour is taken, what it is asked, and the end of its log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from depthrt import BackendUnavailable
from depthrt.engine.cuda.driver import driver
from depthrt.engine.trt import library as trt
from depthrt.engine.trt.library import Message, tail

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel for this platform"
)


@pytest.fixture
def fresh_import() -> Iterator[None]:
    trt.import_tensorrt.cache_clear()
    yield
    trt.import_tensorrt.cache_clear()


@pytest.mark.usefixtures("fresh_import")
def test_a_broken_tensorrt_says_why_it_cannot_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_tensorrt.py").write_text("raise OSError('libnvinfer.so.10:\\nno such file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(trt, "MODULES", {"no_such_tensorrt": "tensorrt", "broken_tensorrt": "tensorrt"})
    with pytest.raises(BackendUnavailable, match=r"broken_tensorrt: libnvinfer.so.10: no such file.*depthrt") as caught:
        trt.import_tensorrt()
    assert "no_such_tensorrt" not in str(caught.value)


@needs_rtx
def test_the_full_tensorrt_without_a_driver_is_stopped_before_it_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "DRIVERS", ("libcuda-of-nobody.so",))
    found = trt.import_tensorrt()
    assert found.check_driver() is None  # TensorRT-RTX needs none
    with pytest.raises(BackendUnavailable, match=r"needs a GPU to build.*no NVIDIA driver.*tensorrt-rtx-cu13"):
        replace(found, flavour="tensorrt").check_driver()


def made_tensorrt(*, typed: bool, fp16: bool) -> trt.TensorRT:
    """Return the flags of a TensorRT that cannot be installed here, as its Python API documents them."""
    creation = SimpleNamespace(**({"STRONGLY_TYPED": 1} if typed else {}))
    flags = SimpleNamespace(**({"FP16": 0} if fp16 else {}))
    module = SimpleNamespace(__version__="10.3", NetworkDefinitionCreationFlag=creation, BuilderFlag=flags)
    return trt.TensorRT(module, "tensorrt", None)


def test_types_come_from_the_file_in_every_tensorrt() -> None:
    assert made_tensorrt(typed=True, fp16=True).network_flags == 1 << 1  # 10.12 and later
    assert made_tensorrt(typed=True, fp16=False).network_flags == 1 << 1  # 11: nothing else is left
    assert made_tensorrt(typed=False, fp16=False).network_flags == 0
    with pytest.raises(BackendUnavailable, match=r"TensorRT 10\.3 cannot build strongly typed engines; install 10\.12"):
        _ = made_tensorrt(typed=False, fp16=True).network_flags


@pytest.mark.usefixtures("fresh_import")
def test_the_full_tensorrt_is_taken_first_unless_the_other_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("full_tensorrt", "small_tensorrt"):
        (tmp_path / f"{name}.py").write_text("class ILogger:\n    pass\n__version__ = '9.9'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(trt, "MODULES", {"full_tensorrt": "tensorrt", "small_tensorrt": "tensorrt-rtx"})
    assert trt.import_tensorrt().name == "TensorRT 9.9"
    assert trt.import_tensorrt("tensorrt-rtx").name == "TensorRT-RTX 9.9"
    assert trt.import_tensorrt() is trt.import_tensorrt()


@needs_rtx
def test_the_true_tensorrt_rtx_names_its_gpus_and_keeps_no_times() -> None:
    found = trt.import_tensorrt("tensorrt-rtx")
    assert {"7.5", "8.6", "8.9", "12.0"} <= set(found.compute_capabilities)
    assert list(found.compute_capabilities) == sorted(found.compute_capabilities, key=float)
    assert not found.has_timing_cache


def test_a_tensorrt_that_builds_for_its_own_gpu_names_none() -> None:
    module = SimpleNamespace(IBuilderConfig=SimpleNamespace(create_timing_cache=None))
    full = trt.TensorRT(module, "tensorrt", None)
    assert full.compute_capabilities == () and full.has_timing_cache


def test_messages_of_all_threads_are_collected_while_the_block_runs() -> None:
    logger = SimpleNamespace(sinks=[])
    found = trt.TensorRT(None, "tensorrt", logger)

    def log(text: str) -> None:
        for sink in tuple(logger.sinks):
            sink.append(Message("WARNING", text))

    with found.collected() as outer:
        log("first")
        with found.collected() as inner:
            thread = Thread(target=log, args=("second",))
            thread.start()
            thread.join()
        log("third")
    log("fourth")
    assert [message.text for message in outer] == ["first", "second", "third"]
    assert [message.text for message in inner] == ["second"] and logger.sinks == []


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([], "its log is empty"),
        ([("INFO", "a"), ("WARNING", "b\n c")], "a | b c"),
        ([("ERROR", "a"), ("INFO", "b"), ("INTERNAL_ERROR", "c")], "a | c"),
        ([("ERROR", str(number)) for number in range(5)], "2 | 3 | 4"),
        ([("ERROR", "x" * 1000)], "x" * 400),
    ],
)
def test_the_end_of_a_log_is_one_line_of_its_errors(log: list[tuple[str, str]], expected: str) -> None:
    assert tail([Message(severity, text) for severity, text in log]) == expected
