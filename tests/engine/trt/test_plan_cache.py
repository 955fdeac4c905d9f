from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from made import make_contract
from made_engine import write_engine, write_mean

from depthrt import InputError
from depthrt.engine.cuda.driver.driver import Gpu
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.system.cache.lock import file_lock
from depthrt.engine.system.files import file_sha256
from depthrt.engine.terms import OnStep
from depthrt.engine.trt import plan_cache
from depthrt.engine.trt.build.build import Compiled, Request, check_request, compile_request
from depthrt.engine.trt.build_options import DEFAULT, BuildOptions
from depthrt.engine.trt.library import TensorRT, import_tensorrt
from depthrt.engine.trt.plan_cache import LOCK, CachedPlan, cached_plan, find_cached_plan, plan_key
from depthrt.engine.trt.plan_file import FORMAT, read_plan_file
from depthrt.engine.version import __version__

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel for this platform"
)
BUILDERS = 3
FILLER_BYTES = 1 << 20  # more than two plans of one model differ by
BUILD = (
    "import sys; from depthrt.engine.modelfile.model_file import open_model_file\n"
    "from depthrt.engine.trt.plan_cache import cached_plan; print(cached_plan(open_model_file(sys.argv[1])).built)"
)
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


def plan_of(path: Path, **options: Any) -> CachedPlan:  # noqa: ANN401
    return cached_plan(open_model_file(path), **options)


def request_of(path: Path, **options: Any) -> Request:  # noqa: ANN401
    return check_request(open_model_file(path), **options)


def key_of(request: Request, trt: TensorRT, gpu: Gpu | None) -> str:
    return plan_key(request, file_sha256(request.file.path), trt, gpu)


def engines(folder: Path) -> set[Path]:
    return set(folder.glob("*.engine"))


@needs_rtx
def test_a_plan_is_found_where_nothing_can_be_written(
    mean: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = plan_of(mean)
    monkeypatch.setattr("depthrt.engine.system.cache.folder._refusal", lambda folder: "a read-only file system")
    monkeypatch.setattr("os.utime", refuse)
    second = plan_of(mean)
    assert not second.built and second.plan == first.plan and second.path == first.path


@needs_rtx
def test_an_engine_that_cannot_be_kept_is_built_and_that_is_said(
    mean: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("depthrt.engine.trt.plan_cache.file_lock", refuse)
    found = plan_of(mean)
    assert found.built and found.path is None and not engines(folder)
    assert "an engine is built for this process only" in caplog.text and "no locks here" in caplog.text


@pytest.mark.parametrize(
    ("place", "raised", "kept"),
    [
        ("plan_cache.compile_request", InputError("the canary is too large"), "the canary is too large"),
        ("plan_cache.write_plan_file", OSError(28, "No space left on device"), ""),
    ],
    ids=["the build refuses", "the disk refuses"],
)
@needs_rtx
def test_only_a_disk_that_refuses_is_blamed_on_the_cache_and_nothing_is_built_twice(
    place: str,
    raised: Exception,
    kept: str,
    mean: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[object] = []

    def count(request: Request, *, on_step: OnStep) -> Compiled:
        calls.append(request)
        return compile_request(request, on_step=on_step)

    def fail(*arguments: object, **options: object) -> None:
        calls.append(arguments[0])
        raise raised

    monkeypatch.setattr(plan_cache, "compile_request", count)
    monkeypatch.setattr(f"depthrt.engine.trt.{place}", fail)
    if kept:
        with pytest.raises(InputError, match=kept):
            plan_of(mean)
        assert len(calls) == 1 and "does not keep it" not in caplog.text
    else:
        found = plan_of(mean)
        assert found.built and found.path is None and not engines(folder) and len(calls) == 2
        assert "does not keep it" in caplog.text and "No space left" in caplog.text


def refuse(*arguments: object, **options: object) -> None:
    raise OSError("no locks here")


@needs_rtx
def test_the_second_time_the_plan_is_found(mean: Path, folder: Path) -> None:
    first, second = plan_of(mean), plan_of(mean)
    assert (first.built, second.built) == (True, False)
    assert first.plan == second.plan and first.path == second.path
    assert engines(folder) == {first.path}


@needs_rtx
def test_a_model_that_moved_is_found_and_one_that_changed_is_built(mean: Path, folder: Path, tmp_path: Path) -> None:
    first = plan_of(mean)
    assert not plan_of(mean.rename(tmp_path / "renamed.onnx")).built
    other = plan_of(write_mean(tmp_path / "mean.onnx", gain=2.0))
    assert other.built and other.plan.header.plan_sha256 != first.plan.header.plan_sha256
    assert len(engines(folder)) == 2


def made_tensorrt(version: str) -> TensorRT:
    return TensorRT(type("module", (), {"__version__": version}), "tensorrt-rtx", None)


def test_everything_that_matters_is_in_the_key(tmp_path: Path) -> None:
    path = write_mean(tmp_path / "dynamic.onnx", make_contract())
    small = BuildOptions(opt_px=(28, 28))
    request, found = request_of(path, options=small), made_tensorrt("1.7")
    changed = [
        BuildOptions(opt_px=(28, 42)),
        replace(small, batch=(1, 1, 2)),
        replace(small, workspace_mib=512),
        replace(small, tf32=True),
        replace(small, compute_capabilities=("8.9",)),
    ]
    keys = {key_of(request_of(path, options=options), found, None) for options in (small, *changed)}
    keys |= {key_of(request, made_tensorrt("1.8"), None), key_of(request, replace(found, flavour="tensorrt"), None)}
    keys |= {key_of(request, found, Gpu("NVIDIA L4", "8.9")), key_of(request, found, Gpu("NVIDIA L40S", "8.9"))}
    assert len(keys) == 1 + len(changed) + 4
    assert key_of(request_of(path, options=small), made_tensorrt("1.7"), None) in keys


@needs_rtx
@pytest.mark.parametrize("damage", ["flip", "cut", "foreign"])
def test_a_damaged_plan_is_built_again(mean: Path, folder: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    first = plan_of(mean)
    assert first.path is not None
    data = bytearray(first.path.read_bytes())
    data[-1] ^= damage == "flip"
    first.path.write_bytes({"flip": bytes(data), "cut": bytes(data[:-1]), "foreign": b"something else"}[damage])
    again = plan_of(mean)
    assert again.built and again.plan == first.plan == read_plan_file(first.path)
    assert "a cached engine cannot be used" in caplog.text


@needs_rtx
def test_the_plans_used_longest_ago_make_room(mean: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for age_s, name in ((200, "old"), (300, "older"), (100, "recent")):
        path = write_engine(folder / f"{name}.engine", bytes(FILLER_BYTES))
        os.utime(path, (path.stat().st_atime - age_s, path.stat().st_mtime - age_s))
    (folder / ".killed.0123.engine").write_bytes(b"half")
    first = plan_of(mean)
    assert first.path is not None
    assert engines(folder) == {first.path, *(folder / f"{name}.engine" for name in ("old", "older", "recent"))}
    room_bytes = 2 * first.path.stat().st_size + FILLER_BYTES * 3 // 2  # for two plans and one of the three
    second = plan_of(mean, options=BuildOptions(tf32=True), cap_bytes=room_bytes)
    assert engines(folder) == {first.path, second.path, folder / "recent.engine"}
    third = plan_of(mean, options=BuildOptions(workspace_mib=512), cap_bytes=1)
    assert engines(folder) == {third.path}


@needs_rtx
def test_a_plan_that_is_used_becomes_the_youngest(mean: Path, folder: Path) -> None:
    path = plan_of(mean).path
    assert path is not None
    os.utime(path, (1, 1))
    plan_of(mean)
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
        asker = threading.Thread(target=lambda: plan_of(mean, on_step=on_step))
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
    first, second = plan_of(mean), plan_of(mean)
    assert (first.path, first.built, second.built) == (None, True, True)
    assert first.plan == second.plan


@needs_rtx
def test_an_interrupted_build_leaves_no_plan(mean: Path, folder: Path) -> None:
    def interrupt(title: str, done: int, wanted: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_of(mean, on_step=interrupt)
    assert {path.name for path in folder.iterdir()} == {LOCK}
    assert plan_of(mean).built


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
    request = request_of(write_mean(tmp_path / "mean.onnx"))
    assert request.options == DEFAULT


@needs_rtx
def test_the_tensorrt_of_the_key_is_the_one_that_builds(mean: Path, folder: Path) -> None:
    found = plan_of(mean)
    assert found.path is not None and found.path.stem == key_of(request_of(mean), import_tensorrt(), None)


def test_the_name_of_a_plan_is_the_one_that_caches_in_use_have(tmp_path: Path) -> None:
    """Another name would build every engine again; it changes with the version of depthrt and of the format only."""
    request = request_of(write_mean(tmp_path / "mean.onnx"))
    parts = {
        "depthrt": __version__,
        "format": FORMAT,
        "onnx": hashlib.sha256(request.file.path.read_bytes()).hexdigest(),
        "flavour": "tensorrt-rtx",
        "version": "1.7",
        "gpu": {"name": "NVIDIA L4", "compute_capability": "8.9"},
        "profile": asdict(request.profile),
        "options": asdict(request.options),
    }
    expected = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    assert key_of(request, made_tensorrt("1.7"), Gpu("NVIDIA L4", "8.9")) == expected


@needs_rtx
def test_a_file_is_hashed_once_and_not_at_all_without_engines(
    mean: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []

    def count(path: Path) -> str:
        hashed.append(path)
        return file_sha256(path)

    monkeypatch.setattr("depthrt.engine.trt.plan_cache.file_sha256", count)
    assert find_cached_plan(open_model_file(mean)) is None and hashed == []
    plan_of(mean)
    assert hashed == [mean]
    assert find_cached_plan(open_model_file(mean)) is not None
    assert find_cached_plan(open_model_file(mean.rename(tmp_path / "moved.onnx"))) is not None
    assert hashed == [mean]
    copy = tmp_path / "copy.onnx"
    copy.write_bytes((tmp_path / "moved.onnx").read_bytes())
    os.utime(copy, ns=(1, 1))
    assert find_cached_plan(open_model_file(copy)) is not None
    assert hashed == [mean, copy]


@needs_rtx
@pytest.mark.parametrize("damage", ["", "{", "[" * 100_000, '{"format": 1}'])
def test_a_damaged_hash_is_made_again_and_that_is_said(
    mean: Path, folder: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    plan_of(mean)
    (remembered,) = (folder.parent / "onnx_sums").iterdir()
    whole = remembered.read_text()
    remembered.write_text(damage)
    assert find_cached_plan(open_model_file(mean)) is not None
    assert "cannot be used" in caplog.text and "the file is hashed again" in caplog.text
    assert remembered.read_text() == whole
