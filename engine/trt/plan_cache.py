"""Engines built on demand, kept under a key of everything that decides their bytes; the oldest are removed."""

from __future__ import annotations

import logging
import os
import re
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..cuda.driver.driver import Gpu
from ..errors import ContractError, InputError, ModelFileError
from ..modelfile.model_file import ModelFile
from ..system.cache.folder import cache_dir, known_dir, warn_once
from ..system.cache.lock import file_lock
from ..system.cache.store import Store, digest, remove_oldest, size_bytes
from ..system.files import atomic_path, file_sha256
from ..terms import OnStep, Precision
from ..version import __version__
from .build.build import Compiled, Request, check_request, compile_request
from .build_options import DEFAULT, BuildOptions
from .library import TensorRT, import_tensorrt
from .plan_file import FORMAT, PlanFile, read_plan_file, write_plan_file

CAP_BYTES = 8 << 30  # an fp16 ViT-S is 55 MB, a ViT-L 700 MB
LOCK = "lock"
WAITING = "wait for another build"  # title of the step
FOLDER = "plans"
SUMS = Store("onnx_sums", content="sha256", most=1024)  # of ONNX files, each read once; 4 MiB in disk blocks

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class CachedPlan:
    """A plan from the cache or of a build.

    Args:
        plan: Its header and bytes, with the hash checked.
        path: Of its file; None if the cache cannot be written.
        built: Whether it was built now.
    """

    plan: PlanFile
    path: Path | None
    built: bool


def cached_plan(
    file: ModelFile,
    *,
    options: BuildOptions = DEFAULT,
    precision: Precision | None = None,
    on_step: OnStep = lambda title, done, wanted: None,
    cap_bytes: int = CAP_BYTES,
) -> CachedPlan:
    """Return the plan of an ONNX file for this machine's TensorRT; builds it if it is not in the cache.

    Processes that ask at the same time build one after the other: on one GPU they would disturb each other's
    measurements, and a process that waited for the same plan finds it.

    Args:
        file: The ONNX file.
        options, precision, on_step: As of build_engine.
        cap_bytes: Most bytes of all engines in the cache; those used longest ago are removed first.

    Raises:
        As build_engine.
    """
    request = check_request(file, options=options, precision=precision)
    trt = import_tensorrt()
    name = _file_name(request, trt)
    known = _known(name)
    if known is not None:
        return known
    with ExitStack() as held:
        folder = _locked_folder(held, on_step)
        if folder is not None and (built := _known(name)) is not None:
            return built  # by another process meanwhile
        compiled = compile_request(request, on_step=on_step)
        path = _keep(compiled, folder / name, cap_bytes) if folder is not None else None
    return CachedPlan(PlanFile(compiled.header, bytes(compiled.plan)), path, built=True)


def find_cached_plan(file: ModelFile, *, options: BuildOptions = DEFAULT) -> PlanFile | None:
    """Return the plan that cached_plan would find, or None if it would build one.

    The ONNX file is not read unless there are engines in the cache and the hash of the file is not remembered.

    Raises:
        As build_engine.
    """
    request = check_request(file, options=options)
    trt, folder = import_tensorrt(), known_dir(FOLDER)
    if folder is None or not any(folder.glob("*.engine")):
        return None
    known = _known(_file_name(request, trt))
    return known.plan if known is not None else None


def plan_key(request: Request, onnx_sha256: str, trt: TensorRT, gpu: Gpu | None) -> str:
    """Return the name of a plan: a hash of everything that can change its bytes."""
    parts = {
        "depthrt": __version__,
        "format": FORMAT,
        "onnx": onnx_sha256,
        "flavour": trt.flavour,
        "version": trt.version,
        "gpu": asdict(gpu) if gpu else None,
        "profile": asdict(request.profile),
        "options": asdict(request.options),
    }
    return digest(parts)


def _file_name(request: Request, trt: TensorRT) -> str:
    gpu = trt.check_driver()
    return f"{plan_key(request, _onnx_sha256(request.file), trt, gpu)}.engine"


def _onnx_sha256(file: ModelFile) -> str:
    """Return the hash of an ONNX file; read once for each identity of the file."""
    known = SUMS.recall(file.identity, _read_sum, remedy="the file is hashed again")
    if known is None:
        known = file_sha256(file.path)
        try:
            SUMS.remember(file.identity, known)
        except (InputError, OSError) as error:
            logger.debug("depthrt: the hash of %s is not remembered: %s", file.path, error)
    return known


def _read_sum(content: object) -> str:
    if type(content) is not str or re.fullmatch("[0-9a-f]{64}", content) is None:
        raise ContractError("sha256 is not 64 hexadecimal digits")
    return content


def _locked_folder(held: ExitStack, on_step: OnStep) -> Path | None:
    """Return the cache's folder, locked until `held` ends; None, with a warning, if it cannot be."""
    folder = cache_dir(FOLDER)
    try:
        if folder is not None:
            held.enter_context(file_lock(folder / LOCK, on_wait=lambda: on_step(WAITING, 0, 1)))
    except OSError as error:  # another user's lock, a file system without locks
        _warn_not_kept(folder, error)
        return None
    return folder


def _keep(compiled: Compiled, path: Path, cap_bytes: int) -> Path | None:
    """Write a plan into the cache; return its file, or None, with a warning, if the disk refuses."""
    try:
        with atomic_path(path) as unfinished:
            write_plan_file(unfinished, compiled.header, compiled.plan)
    except (OSError, InputError) as error:
        _warn_not_kept(path.parent, error)
        return None
    with suppress(OSError):
        _make_room(path.parent, path, cap_bytes)
    return path


def _warn_not_kept(folder: Path | None, error: Exception) -> None:
    logger.warning("depthrt: an engine is built for this process only: %s does not keep it (%s)", folder, error)


def _known(name: str) -> CachedPlan | None:
    """Return the plan of this name, or None if the cache has none; it need not be writable."""
    folder = known_dir(FOLDER)
    if folder is None:
        return None
    plan = _find(folder / name)
    return CachedPlan(plan, folder / name, built=False) if plan is not None else None


def _find(path: Path) -> PlanFile | None:
    """Return the plan at `path` and mark it as used, or None unless there is a whole one."""
    try:
        if not path.is_file():
            return None
        plan = read_plan_file(path)
    except (ModelFileError, ContractError) as error:
        warn_once(f"depthrt: a cached engine cannot be used: {error}")
        return None
    except OSError:  # removed by another process, or not ours to see
        return None
    with suppress(OSError):  # not ours to touch
        os.utime(path)
    return plan


def _make_room(folder: Path, newest: Path, cap_bytes: int) -> None:
    """Remove engines, those used longest ago first, until the others fit; `newest` stays."""
    for unfinished in folder.glob(".*.engine"):  # of a killed build: no other process builds while the lock is held
        unfinished.unlink(missing_ok=True)
    engines = [file for file in folder.glob("*.engine") if not file.name.startswith(".")]
    remove_oldest(engines, most=cap_bytes, weigh=size_bytes, keep=newest)
