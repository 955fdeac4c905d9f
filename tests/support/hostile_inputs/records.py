"""Damaged checkpoints, data sets, recipes, logs and reports."""

from __future__ import annotations

import collections
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from made_depth import make_depth
from made_report import make_report
from numpy.random import Generator
from random_checkpoint import TINY, random_network
from safetensors.torch import save_file

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.manifest import MANIFEST, Entry, write_manifest
from depthrt.bench.datasets.regions import write_regions
from depthrt.bench.numbers.result_file import from_json, to_json
from depthrt.bench.report.markdown import to_markdown
from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint

from .damage import damage, spoil
from .trials import Kind, Made, Outcome, WrongAnswer, check_close, pick

_EQUAL = 1e-6  # of the range
_SIZE_PX = (24, 32)


class DamagedCheckpoints(Kind):
    """A checkpoint with bytes damaged or hostile company of its weights: its own weights, or refused; never run."""

    name: ClassVar[str] = "checkpoints"
    share: ClassVar[float] = 0.1

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._good = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        self._state = torch.load(folder / "zip.pth", weights_only=True)
        self._marker = work / "ran"

    @classmethod
    def prepare(cls, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        state = random_network(TINY).state_dict()
        torch.save(state, folder / "zip.pth")
        torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
        torch.save({"model": state, "epoch": 3, "args": {"lr": 0.1}}, folder / "trainer.pt")
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})

    def describe(self, random: Generator) -> tuple[str, Made]:
        name = pick(random, list(self._good))
        if random.random() < 0.25:
            company = _hostile_company(random, self._marker)
            return f"beside the weights: {str(company)[:60]}", ("company.pth", self._pickled(company))
        how, data = damage(random, self._good[name])
        return f"{name}, {how}", (name, data)

    def answer(self, made: Made) -> Outcome:
        name, data = made
        path = self.work / name
        path.write_bytes(data)
        try:
            network = load_network(read_checkpoint(path, family="depth-anything-v2", kind="inverse"))
        finally:
            if self._marker.exists():
                self._marker.unlink()
                raise WrongAnswer("code of the file was run")
        if name.endswith((".safetensors", "legacy.pth")):
            return "right"  # formats that carry no checksum
        for key, tensor in network.state_dict().items():
            check_close(tensor.numpy(), self._state[key].numpy(), _EQUAL, key)
        return "right"

    def _pickled(self, company: object) -> bytes:
        path = self.work / "made.pth"
        torch.save({"model": self._state, "more": company}, path)
        return path.read_bytes()


class _Runs:
    """Code that runs if it is unpickled."""

    def __init__(self, call: Callable[..., object], *args: object) -> None:
        self._call, self._args = call, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self._call, self._args


def _hostile_company(random: Generator, marker: Path) -> object:
    """Return something that people or attackers store beside weights."""
    touch = f"open({str(marker)!r}, 'w').close()"
    return pick(
        random,
        (
            _Runs(os.system, f"touch {marker}"),
            _Runs(exec, touch),
            _Runs(eval, touch),
            _Runs(Path.touch, marker),
            _Runs(getattr, "", "upper"),
            _Runs(__import__, "os"),
            _Runs(shutil.copy, __file__, str(marker)),
            _Runs(collections.OrderedDict, [(_Runs(os.system, f"touch {marker}"), 1)]),
            [[[[[[]]]]]] * 1000,
            {"a" * 100_000: float("nan")},
            collections.defaultdict(list, {"x": [1]}),
            collections.deque([1, 2]),
            frozenset({1}),
            torch.tensor(float("nan")).expand(1 << 40),
            torch.sparse_coo_tensor(torch.zeros(2, 1, dtype=torch.long), torch.ones(1), (1 << 30, 1 << 30)),
            np.array([None, "x"], object),
        ),
    )


class DamagedDatasets(Kind):
    """A data set with a file damaged: the measured depth that it holds, or refused."""

    name: ClassVar[str] = "data sets"
    share: ClassVar[float] = 0.1

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._good = sorted(path for path in folder.iterdir() if path.is_dir())
        self._truth = {root.name: _truth_of(root) for root in self._good}

    @classmethod
    def prepare(cls, folder: Path) -> None:
        import h5py
        import OpenEXR
        import tifffile

        random = np.random.default_rng(0)
        depth_m = random.uniform(0.5, 9.0, _SIZE_PX).astype(np.float32)
        for kind in ("npy", "npz", "png", "pfm", "exr", "tiff", "hdf5", "manifest"):
            root = folder / kind
            (root / "rgb").mkdir(parents=True)
            (root / "depth").mkdir()
            cv2.imwrite(str(root / "rgb" / "a.png"), random.integers(0, 256, (*_SIZE_PX, 3)).astype(np.uint8))
            file = root / "depth" / f"a.{kind}"
            if kind == "manifest":
                np.save(file.with_suffix(".npy"), depth_m)
                write_regions(root / "regions.png", random.integers(0, 16, _SIZE_PX).astype(np.uint8))
                entry = Entry("rgb/a.png", "depth/a.npy", "a", "regions.png", "train")
                write_manifest(root / MANIFEST, [entry] * 2)
            elif kind == "npy":
                np.save(file, depth_m)
            elif kind == "npz":
                make_depth(depth_m, kind="metric").save(file)
            elif kind == "png":
                cv2.imwrite(str(file), (depth_m * 1000).astype(np.uint16))
            elif kind == "pfm":
                cv2.imwrite(str(file), depth_m)
            elif kind == "exr":
                OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, {"Z": depth_m}).write(str(file))
            elif kind == "tiff":
                tifffile.imwrite(file, depth_m)
            else:
                shutil.rmtree(root)
                scene = root / "ai_001_001" / "images"
                (scene / "scene_cam_00_final_preview").mkdir(parents=True)
                (scene / "scene_cam_00_geometry_hdf5").mkdir()
                image = random.integers(0, 256, (*_SIZE_PX, 3)).astype(np.uint8)
                cv2.imwrite(str(scene / "scene_cam_00_final_preview" / "frame.0000.tonemap.jpg"), image)
                deep = scene / "scene_cam_00_geometry_hdf5" / "frame.0000.depth_meters.hdf5"
                with h5py.File(deep, "w") as made:
                    made.create_dataset("dataset", data=depth_m, compression="gzip")
            try:
                _truth_of(root)
            except Exception:
                shutil.rmtree(root)
                raise

    def describe(self, random: Generator) -> tuple[str, Made]:
        root = pick(random, self._good)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        file = files[0] if random.random() < 0.8 and "depth" in files[0].parts else pick(random, files)
        how, data = damage(random, file.read_bytes())
        return f"{file.relative_to(self.folder)}, {how}", (root, file.relative_to(root), how, data)

    def answer(self, made: Made) -> Outcome:
        root, file, how, data = made
        copy = self.work / root.name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(root, copy)
        (copy / file).write_bytes(data)
        found = _truth_of(copy)
        if how.startswith("cut") or (file.suffix == ".png" and how.startswith("flip")):  # PNG has checksums
            if file.suffix == ".npz" and found.shape != self._truth[root.name].shape:
                raise WrongAnswer("another array")
            check_close(found, self._truth[root.name], _EQUAL, f"truth of {file.suffix}")
        return "right"


def _truth_of(root: Path) -> np.ndarray[Any, Any]:
    truth = next(iter(open_ground_truth(root))).truth
    return np.where(truth.valid, truth.values, 0)


class SpoiledReports(Kind):
    """A report of bench whose JSON is spoiled: shown, or refused."""

    name: ClassVar[str] = "reports"
    share: ClassVar[float] = 0.05

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._good = to_json(make_report())

    def describe(self, random: Generator) -> tuple[str, Made]:
        if random.random() < 0.3:
            how, data = damage(random, self._good.encode())
            return how, data.decode("utf-8", "replace")
        how, spoiled = spoil(random, json.loads(self._good))
        return how, json.dumps(spoiled).encode("utf-8", "replace").decode()

    def answer(self, made: Made) -> Outcome:
        report = from_json(made)
        to_markdown(report)
        if to_json(from_json(to_json(report))) != to_json(report):
            raise WrongAnswer("written and read again, it is another report")
        return "right"


class SpoiledRecords(Kind):
    """Recipes, logs and tunings of JSON whose values are spoiled: what they say, or refused."""

    name: ClassVar[str] = "recipes and logs"
    share: ClassVar[float] = 0.02

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        from depthrt.finetune.training.log import LOG_NAME

        self._log = LOG_NAME

    def describe(self, random: Generator) -> tuple[str, Made]:
        line = {"event": "step", "step": 10, "elapsed_s": 3.5, "loss": 0.25, "rate": 1e-4}
        note = {"event": "note", "step": 3, "text": "resumed"}
        how, spoiled = spoil(random, pick(random, (line, note)))
        return how, json.dumps(spoiled).encode("utf-8", "replace")

    def answer(self, made: Made) -> Outcome:
        from depthrt.finetune.training.log import read_log

        (self.work / self._log).write_bytes(made + b"\n")
        for line in read_log(self.work):
            if not isinstance(line.step, int) or line.step < 0:
                raise WrongAnswer(f"step {line.step!r}")
        return "right"
