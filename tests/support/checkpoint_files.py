"""Writes checkpoint files, good and bad, in every form that is met."""

from __future__ import annotations

import argparse
import copy
import json
import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from official_state import State, folder_with, tiny_config, to_transformers
from safetensors.torch import save_file
from torch import Tensor

Write = Callable[[Path, State], Path]  # (folder, weights) -> what to read


def prefixed(state: State, prefix: str) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def other(state: State) -> State:
    return {name: tensor + 1 for name, tensor in state.items()}


class Bomb:
    """Runs a command when an ordinary unpickler meets it."""

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.touched}",)


# How files are written. Each takes a path and the weights, and returns what to read.


def saved(shape: Callable[[State], object], name: str = "wild.pth", *, old: bool = False, protocol: int = 2) -> Write:
    def write(path: Path, state: State) -> Path:
        torch.save(shape(state), path / name, pickle_protocol=protocol, _use_new_zipfile_serialization=not old)
        return path / name

    return write


def written(content: bytes, name: str = "wild.pth") -> Write:
    def write(path: Path, state: State) -> Path:
        (path / name).write_bytes(content)
        return path / name

    return write


def changed(change: Callable[[bytes], bytes], inner: Write) -> Write:
    def write(path: Path, state: State) -> Path:
        file = inner(path, state)
        file.write_bytes(change(file.read_bytes()))
        return file

    return write


def safetensors(shape: Callable[[State], State] = dict, name: str = "wild.safetensors") -> Write:
    def write(path: Path, state: State) -> Path:
        save_file(shape(state), path / "plain")
        return (path / "plain").rename(path / name)

    return write


def begins_like_a_pickle(path: Path, state: State) -> Path:
    for padding in range(0, 256, 8):  # the header's length, which opens the file, grows in steps of 8
        save_file(state, path / "wild.safetensors", metadata={"padding": "x" * padding})
        if (path / "wild.safetensors").read_bytes()[:1] == b"\x80":
            return path / "wild.safetensors"
    raise AssertionError("no length ends in the byte that opens a pickle")


def plain(state: State) -> State:
    return state


def without(*patterns: str) -> Callable[[State], State]:
    return lambda state: {n: t for n, t in state.items() if not any(re.search(p, n) for p in patterns)}


def having(name: str, make: Callable[[Tensor], Tensor]) -> Callable[[State], State]:
    return lambda state: state | {name: make(state[name])}


def with_value(value: float) -> Callable[[Tensor], Tensor]:
    def make(tensor: Tensor) -> Tensor:
        poisoned = tensor.clone()
        poisoned.view(-1)[-1] = value
        return poisoned

    return make


def upstream_training_file(state: State) -> dict[str, Any]:
    """Return what metric_depth/train.py saves: a wrapped model beside a used optimizer and numpy scores."""
    layer = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    best = {"d1": np.float64(0.9), "abs_rel": np.float32(0.1), "epoch": np.int64(3)}
    return {"model": prefixed(state, "module."), "optimizer": optimizer.state_dict(), "epoch": 3, "previous_best": best}


def by_part(state: State) -> dict[str, State]:
    """Return the encoder and the head in mappings of their own."""
    split = [(name.split(".", 1), tensor) for name, tensor in state.items()]
    return {
        part: {rest: tensor for (first, rest), tensor in split if first == part}
        for part in ("pretrained", "depth_head")
    }


def lightning_file(state: State) -> dict[str, Any]:
    weights = prefixed(state, "model.") | {"criterion.weight": torch.ones(3)}
    company = {
        "epoch": 1,
        "callbacks": {"best": {"score": torch.ones(())}},
        "hparams": argparse.Namespace(lr=1e-4, out=Path("/x")),
    }
    return {"state_dict": weights, **company}


def compressed(path: Path, state: State) -> Path:
    torch.save(state, path / "stored.pth")
    with zipfile.ZipFile(path / "stored.pth") as old, zipfile.ZipFile(path / "z.pth", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return path / "z.pth"


def compressed_and_flipped(path: Path, state: State) -> Path:
    file = compressed(path, state)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    file.write_bytes(data)
    return file


def quantised(tensor: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates them; their files are still around
        return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)


def nested(tensor: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a prototype
        return torch.nested.nested_tensor([tensor, tensor[:1]])


def packed_zeros(path: Path, state: State) -> Path:
    torch.save({"model": state, "zeros": torch.zeros(50_000_000)}, path / "large.pth")
    with zipfile.ZipFile(path / "large.pth") as old, zipfile.ZipFile(path / "z.pth", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    (path / "large.pth").unlink()
    return path / "z.pth"


def overlapping(path: Path, state: State) -> Path:
    """Let the archive's directory name one storage many times."""
    torch.save(state, path / "overlapping.pth")
    with zipfile.ZipFile(path / "overlapping.pth", "a") as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
        archive.filelist += [copy.copy(largest) for _ in range(1000)]
        archive._didModify = True  # type: ignore[attr-defined] # so that it writes the directory again
    return path / "overlapping.pth"


def with_attributes(state: State) -> State:
    """Return tensors and parameters that carry attributes, which torch saves with another function."""
    marked = {}
    for number, (name, tensor) in enumerate(state.items()):
        held = torch.nn.Parameter(tensor.clone()) if number % 2 else tensor.clone()
        held.tag = "x"  # type: ignore[attr-defined]
        marked[name] = held
    return marked


def locked(path: Path, state: State) -> Path:
    """Say of every member, in the archive's directory, that it has a password."""
    file = compressed(path, state)
    data = bytearray(file.read_bytes())
    for entry in re.finditer(b"PK\x01\x02", data):
        data[entry.start() + 8] |= 1
    file.write_bytes(data)
    return file


def unchecked(path: Path, state: State) -> Path:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(state, path / "unchecked.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    return path / "unchecked.pth"


def hugging_face(*, newer: bool = False, weights: str = "model.safetensors", give: str = "") -> Write:
    def write(path: Path, state: State) -> Path:
        folder = folder_with(path / "x", tiny_config())
        renamed = to_transformers(state, newer=newer)
        if weights.endswith(".bin"):
            torch.save(renamed, folder / weights)
        else:
            save_file(renamed, folder / weights, metadata={"format": "pt"})
        return folder / give if give else folder

    return write


def sharded(damage: Callable[[Path], object] = lambda folder: None) -> Write:
    def write(path: Path, state: State) -> Path:
        folder = folder_with(path / "x", tiny_config())
        renamed = list(to_transformers(state).items())
        weight_map: dict[str, str] = {}
        for number, part in enumerate((renamed[:40], renamed[40:90], renamed[90:]), start=1):
            name = f"model-{number:05}-of-00003.safetensors"
            save_file(dict(part), folder / name)
            weight_map |= dict.fromkeys(dict(part), name)
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
        damage(folder)
        return folder

    return write


def redirect_shard(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    index.write_text(index.read_text().replace("model-00002", "../model-00002"))


def pushed_by_hub_mixin(path: Path, state: State) -> Path:
    folder = folder_with(path / "x", {"encoder": "vits", "features": 64, "out_channels": [48, 96, 192, 384]})
    torch.save(state, folder / "pytorch_model.bin")
    return folder


def torchscript(path: Path, state: State) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated; its files are still around
        program = torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2))
        torch.jit.save(program, path / "program.pt")
    return path / "program.pt"


def zip_of(**members: bytes) -> Write:
    def write(path: Path, state: State) -> Path:
        with zipfile.ZipFile(path / "archive.pth", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path / "archive.pth"

    return write


def numpy_archive(path: Path, state: State) -> Path:
    np.savez(path / "weights.npz", weight=np.ones(3))
    return path / "weights.npz"


def bomb(*, old: bool = False, protocol: int = 2) -> Write:
    def write(path: Path, state: State) -> Path:
        shape = {"model": state, "extra": Bomb(path / "ran")}
        return saved(lambda s: shape, "bomb.pth", old=old, protocol=protocol)(path, state)

    return write


def bare_pickle_bomb(path: Path, state: State) -> Path:
    (path / "bomb.pth").write_bytes(pickle.dumps({"weights": np.ones(3), "extra": Bomb(path / "ran")}))
    return path / "bomb.pth"


def bomb_in_folder(path: Path, state: State) -> Path:
    folder = folder_with(path / "x", tiny_config())
    torch.save(to_transformers(state) | {"extra": Bomb(path / "ran")}, folder / "pytorch_model.bin")
    return folder


def folder_of(config: dict[str, Any] | None = None, **files: bytes) -> Write:
    def write(path: Path, state: State) -> Path:
        folder = path / "folder"
        folder.mkdir()
        if config is not None:
            (folder / "config.json").write_text(json.dumps(config))
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_bytes(content)
        return folder

    return write


def symlink_loop(path: Path, state: State) -> Path:
    (path / "loop.pth").symlink_to(path / "loop.pth")
    return path / "loop.pth"


def named_pipe(path: Path, state: State) -> Path:
    os.mkfifo(path / "pipe.pth")
    return path / "pipe.pth"


def cut(count: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:-count]


def cut_inside(content: bytes) -> bytes:
    return content[:60_000] + content[80_000:]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
