"""Damaged model files, engines and caches."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import onnx
from made_engine import PLAN, write_engine
from numpy.random import Generator
from tiny_model import PHOTOS, export_tiny

import depthrt
from depthrt.engine.model.describe import describe_model
from depthrt.engine.modelfile.contract import METADATA_KEY
from depthrt.engine.trt import plan_file

from .damage import damage, flip, spoil
from .trials import Kind, Made, Outcome, WrongAnswer, check_close, pick

_PHOTO = PHOTOS / "astronaut.jpg"


def _answer(path: Path) -> depthrt.Depth:
    with depthrt.load(path) as model:
        return model.infer(depthrt.read_image(_PHOTO))


class _Models(Kind):
    """Shares the model file and its depth of a photograph."""

    drift: ClassVar[float] = 1e-3  # of the range; float32 runners differ by less

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._data = (folder / "tiny.onnx").read_bytes()
        self._path = work / "model.onnx"
        self._path.write_bytes(self._data)
        self._depth = _answer(self._path)

    @classmethod
    def prepare(cls, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        export_tiny(folder, size=126)

    def _check(self, found: depthrt.Depth, what: str) -> Outcome:
        if found.kind != self._depth.kind or found.unit != self._depth.unit:
            raise WrongAnswer(f"{found.kind} depth, expected {self._depth.kind}")
        check_close(found.values, self._depth.values, self.drift, what)
        return "right"


class DamagedModels(_Models):
    """A model file with bytes damaged or a contract spoiled: its own depth, or refused."""

    name: ClassVar[str] = "model files"
    share: ClassVar[float] = 0.12

    def describe(self, random: Generator) -> tuple[str, Made]:
        way = pick(random, ("bytes", "bytes", "contract", "contract", "rot"))
        if way == "bytes":
            how, data = damage(random, self._data)
            return how, (way, data)
        if way == "rot":
            at = (int(random.integers(len(self._data))), int(random.integers(8)))
            return f"bit {at} of a file that was used, same size and time", (way, flip(self._data, [at]))
        model = onnx.load_model_from_string(self._data)
        contract = next(entry for entry in model.metadata_props if entry.key == METADATA_KEY)
        how, spoiled = spoil(random, json.loads(contract.value))
        contract.value = json.dumps(spoiled).encode("utf-8", "replace").decode()
        return f"contract: {how}", (way, model.SerializeToString())

    def answer(self, made: Made) -> Outcome:
        way, data = made
        self._path.write_bytes(self._data)
        if way == "rot":
            _answer(self._path)
        facts = self._path.stat()
        self._path.write_bytes(data)
        if way == "rot":
            os.utime(self._path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        return self._check(_answer(self._path), way)


class DamagedCaches(_Models):
    """A cache with a file damaged or spoiled: the same depth as without."""

    name: ClassVar[str] = "caches"
    drift: ClassVar[float] = 5e-3  # a choice that is lost computes in float32 instead of bfloat16
    share: ClassVar[float] = 0.04

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._pristine, self._cache = work / "pristine", Path(os.environ["DEPTHRT_CACHE"])
        self._tune()
        _answer(self._path)
        shutil.copytree(self._cache, self._pristine)
        self._files = sorted(path.relative_to(self._pristine) for path in self._pristine.rglob("*") if path.is_file())

    def _tune(self) -> None:
        """Have the model run in OpenVINO, if it is installed, so that the cache holds compiled files."""
        from depthrt.engine.modelfile.model_file import open_model_file
        from depthrt.engine.runners.open_runner import available_choices
        from depthrt.engine.runners.tuning import Trial, Tuning, remember_choice
        from depthrt.engine.system.cores import usable_cores

        file, cores = open_model_file(self._path), usable_cores()
        choice = available_choices(file.contract, cores)[-1]
        trial = Trial(choice, 1.0, 1.0, 0.001)
        remember_choice(file, cores, Tuning(choice, 1.5, 0.001, 0.05, "2026-01-01T00:00:00Z", (trial,)))

    def describe(self, random: Generator) -> tuple[str, Made]:
        name = pick(random, self._files)
        data = (self._pristine / name).read_bytes()
        if name.suffix == ".json" and random.random() < 0.6:
            how, spoiled = spoil(random, json.loads(data))
            return f"{name}: {how}", (name, json.dumps(spoiled).encode("utf-8", "replace"))
        how, damaged = damage(random, data or b" ")
        return f"{name}: {how}", (name, damaged)

    def answer(self, made: Made) -> Outcome:
        name, data = made
        shutil.rmtree(self._cache)
        shutil.copytree(self._pristine, self._cache)
        (self._cache / name).write_bytes(data)
        return self._check(_answer(self._path), str(name))


class DamagedEngines(Kind):
    """An engine file with bytes damaged or a header spoiled under a right hash: its own plan, or refused."""

    name: ClassVar[str] = "engines"
    share: ClassVar[float] = 0.07

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._path = work / "tiny.engine"
        write_engine(self._path)
        self._data = self._path.read_bytes()
        self._header = plan_file.read_plan_header(self._path)

    def describe(self, random: Generator) -> tuple[str, Made]:
        if random.random() < 0.5:
            how, data = damage(random, self._data)
            return how, (True, data)
        how, spoiled = spoil(random, json.loads(_header_text(self._data)))
        return f"header: {how}", (False, _with_header(self._data, json.dumps(spoiled).encode("utf-8", "replace")))

    def answer(self, made: Made) -> Outcome:
        is_bytes, data = made
        self._path.write_bytes(data)
        describe_model(self._path)
        header = plan_file.read_plan_header(self._path)
        if plan_file.read_plan(self._path, header) != PLAN:
            raise WrongAnswer("another plan")
        if is_bytes and header != self._header:
            raise WrongAnswer("another header")
        return "right"


def _header_text(data: bytes) -> bytes:
    length = plan_file._FIXED.unpack(data[: plan_file._FIXED.size])[-2]
    return data[plan_file._FIXED.size : plan_file._FIXED.size + length]


def _with_header(data: bytes, text: bytes) -> bytes:
    """Return an engine file with another header under a right hash."""
    fixed = plan_file._FIXED.size
    start = plan_file._aligned(fixed + len(_header_text(data)))
    head = plan_file._FIXED.unpack(data[:fixed])
    packed = plan_file._FIXED.pack(*head[:-2], len(text), sha256(text).digest())
    return (packed + text).ljust(plan_file._aligned(fixed + len(text)), b"\0") + data[start:]
