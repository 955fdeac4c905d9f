from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from made import make_contract
from made_engine import write_engine, write_mean

from depthrt.engine.cuda.driver.driver import Gpu
from depthrt.engine.system.cache.lock import file_lock
from depthrt.engine.trt.build.build import check_request
from depthrt.engine.trt.build_options import DEFAULT, BuildOptions
from depthrt.engine.trt.library import TensorRT, import_tensorrt
from depthrt.engine.trt.plan_cache import LOCK, cached_plan, plan_key
from depthrt.engine.trt.plan_file import read_plan_file

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel for this platform"
)
BUILDERS = 3
FILLER_BYTES = 1 << 20  # more than two plans of one model differ by
BUILD = "import sys; from depthrt.engine.trt.plan_cache import cached_plan; print(cached_plan(sys.argv[1]).built)"
HOLD = (
    "import sys, time; from pathlib import Path; from depthrt.engine.system.cache.lock import file_lock\n"
    "with file_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
)


@pytest.fixture
def mean(tmp_path: Path) -> Path:
    return write_mean(tmp_path / "mean.onnx")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the plans go."""
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "plans"


def engines(folder: Path) -> set[Path]:
    return set(folder.glob("*.engine"))


@needs_rtx
def test_a_plan_is_found_where_nothing_can_be_written(
    mean: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cached_plan(mean)
    monkeypatch.setattr("depthrt.engine.system.cache.folder._refusal", lambda folder: "a read-only file system")
    monkeypatch.setattr("os.utime", refuse)
    second = cached_plan(mean)
    assert not second.built and second.plan == first.plan and second.path == first.path


@needs_rtx
def test_an_engine_that_cannot_be_kept_is_built_and_that_is_said(
    mean: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("depthrt.engine.trt.plan_cache.file_lock", refuse)
    found = cached_plan(mean)
    assert found.built and found.path is None and not engines(folder)
    assert "an engine is built for this process alone" in caplog.text and "no locks here" in caplog.text


def refuse(*arguments: object, **options: object) -> None:
    raise OSError("no locks here")


@needs_rtx
def test_the_second_time_the_plan_is_found(mean: Path, folder: Path) -> None:
    first, second = cached_plan(mean), cached_plan(mean)
    assert (first.built, second.built) == (True, False)
    assert first.plan == second.plan and first.path == second.path
    assert engines(folder) == {first.path}


@needs_rtx
def test_a_model_that_moved_is_found_and_one_that_changed_is_built(mean: Path, folder: Path, tmp_path: Path) -> None:
    first = cached_plan(mean)
    assert not cached_plan(mean.rename(tmp_path / "renamed.onnx")).built
    other = cached_plan(write_mean(tmp_path / "mean.onnx", gain=2.0))
    assert other.built and other.plan.header.plan_sha256 != first.plan.header.plan_sha256
    assert len(engines(folder)) == 2


def made_tensorrt(version: str) -> TensorRT:
    return TensorRT(type("module", (), {"__version__": version}), "tensorrt-rtx", None)


def test_everything_that_matters_is_in_the_key(tmp_path: Path) -> None:
    path = write_mean(tmp_path / "dynamic.onnx", make_contract())
    small = BuildOptions(opt_px=(28, 28))
    request, found = check_request(path, options=small), made_tensorrt("1.7")
    changed = [
        BuildOptions(opt_px=(28, 42)),
        replace(small, batch=(1, 1, 2)),
        replace(small, workspace_mib=512),
        replace(small, tf32=True),
        replace(small, compute_capabilities=("8.9",)),
    ]
    keys = {plan_key(check_request(path, options=options), found, None) for options in (small, *changed)}
    keys |= {plan_key(request, made_tensorrt("1.8"), None), plan_key(request, replace(found, flavour="tensorrt"), None)}
    keys |= {plan_key(request, found, Gpu("NVIDIA L4", "8.9")), plan_key(request, found, Gpu("NVIDIA L40S", "8.9"))}
    assert len(keys) == 1 + len(changed) + 4
    assert plan_key(check_request(path, options=small), made_tensorrt("1.7"), None) in keys


@needs_rtx
@pytest.mark.parametrize("damage", ["flip", "cut", "foreign"])
def test_a_damaged_plan_is_built_again(mean: Path, folder: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    first = cached_plan(mean)
    assert first.path is not None
    data = bytearray(first.path.read_bytes())
    data[-1] ^= damage == "flip"
    first.path.write_bytes({"flip": bytes(data), "cut": bytes(data[:-1]), "foreign": b"something else"}[damage])
    again = cached_plan(mean)
    assert again.built and again.plan == first.plan == read_plan_file(first.path)
    assert "a cached engine cannot be used" in caplog.text


@needs_rtx
def test_the_plans_used_longest_ago_make_room(mean: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for age_s, name in ((200, "old"), (300, "older"), (100, "recent")):
        path = write_engine(folder / f"{name}.engine", bytes(FILLER_BYTES))
        os.utime(path, (path.stat().st_atime - age_s, path.stat().st_mtime - age_s))
    (folder / ".killed.0123.engine").write_bytes(b"half")
    first = cached_plan(mean)
    assert first.path is not None
    assert engines(folder) == {first.path, *(folder / f"{name}.engine" for name in ("old", "older", "recent"))}
    room_bytes = 2 * first.path.stat().st_size + FILLER_BYTES * 3 // 2  # for two plans and one of the three
    second = cached_plan(mean, options=BuildOptions(tf32=True), cap_bytes=room_bytes)
    assert engines(folder) == {first.path, second.path, folder / "recent.engine"}
    third = cached_plan(mean, options=BuildOptions(workspace_mib=512), cap_bytes=1)
    assert engines(folder) == {third.path}


@needs_rtx
def test_a_plan_that_is_used_becomes_the_youngest(mean: Path, folder: Path) -> None:
    path = cached_plan(mean).path
    assert path is not None
    os.utime(path, (1, 1))
    cached_plan(mean)
    assert path.stat().st_mtime > 1


@needs_rtx
def test_processes_that_ask_together_build_once(mean: Path, folder: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(mean)]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(BUILDERS)]
    said = sorted(program.communicate(timeout=300)[0].strip() for program in programs)
    assert said == ["False"] * (BUILDERS - 1) + ["True"]
    assert len(engines(folder)) == 1 and {path.name for path in folder.iterdir()} - {LOCK} == {
        path.name for path in engines(folder)
    }


@needs_rtx
def test_who_waits_for_another_build_is_told(mean: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    waiting = threading.Event()

    def on_step(title: str, done: int, wanted: int) -> None:
        if title == "wait for another build":
            waiting.set()

    with file_lock(folder / LOCK):
        asker = threading.Thread(target=lambda: cached_plan(mean, on_step=on_step))
        asker.start()
        assert waiting.wait(60)
        assert not engines(folder)
    asker.join(60)
    assert len(engines(folder)) == 1


@needs_rtx
def test_without_a_cache_the_plan_is_built_each_time(
    mean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "file"))
    first, second = cached_plan(mean), cached_plan(mean)
    assert (first.path, first.built, second.built) == (None, True, True)
    assert first.plan == second.plan


@needs_rtx
def test_an_interrupted_build_leaves_no_plan(mean: Path, folder: Path) -> None:
    def interrupt(title: str, done: int, wanted: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_plan(mean, on_step=interrupt)
    assert {path.name for path in folder.iterdir()} == {LOCK}
    assert cached_plan(mean).built


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_holder_that_is_killed_lets_the_lock_go(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
    waited = []

    def kill() -> None:
        waited.append(True)
        holder.send_signal(signal.SIGKILL)

    with file_lock(path, on_wait=kill):
        assert waited == [True]
    holder.communicate()


def test_options_have_a_default_that_is_part_of_the_key(tmp_path: Path) -> None:
    request = check_request(write_mean(tmp_path / "mean.onnx"))
    assert request.options == DEFAULT


@needs_rtx
def test_the_tensorrt_of_the_key_is_the_one_that_builds(mean: Path, folder: Path) -> None:
    found = cached_plan(mean)
    assert found.path is not None and found.path.stem == plan_key(check_request(mean), import_tensorrt(), None)
