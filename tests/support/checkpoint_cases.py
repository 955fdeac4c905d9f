"""Tables of checkpoints: those that load, and those that are refused, with a part of the message."""

from __future__ import annotations

import argparse
import datetime
import enum
import functools
import inspect
import operator
import random
import re
import types
import typing
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import (
    Write,
    bare_pickle_bomb,
    begins_like_a_pickle,
    bomb,
    bomb_in_folder,
    by_part,
    changed,
    compressed,
    compressed_and_flipped,
    cut,
    cut_inside,
    flip,
    folder_of,
    having,
    hugging_face,
    lightning_file,
    locked,
    named_pipe,
    nested,
    numpy_archive,
    other,
    overlapping,
    packed_zeros,
    plain,
    prefixed,
    pushed_by_hub_mixin,
    quantised,
    redirect_shard,
    safetensors,
    saved,
    sharded,
    symlink_loop,
    torchscript,
    unchecked,
    upstream_training_file,
    with_attributes,
    with_value,
    without,
    written,
    zip_of,
)
from official_state import State, tiny_config, to_transformers

from depthrt.engine.errors import ModelFileError
from depthrt.engine.terms import Kind, WhichWeights
from depthrt.export.checkpoint.checkpoint import Checkpoint, read_checkpoint


class Mode(enum.Enum):
    FAST = "fast"


class Flags(enum.Flag):
    A = 1
    B = 2


class Outer:
    class Inner:
        pass

    def shown(self) -> str:
        return ""


@dataclass
class Settings:
    name: str
    mode: Mode
    more: dict[str, object]


class Attributes(dict[str, object]):
    """As EasyDict and the configurations of mmengine: a mapping with state."""

    def __init__(self, **items: object) -> None:
        super().__init__(**items)
        self.__dict__ = {"frozen": True}


Refused = dict[str, tuple[Write, str]]  # how the file is written, and a part of the message

LOADS: dict[str, Write] = {
    "a plain .pth": saved(plain),
    "a plain .pt": saved(plain, "wild.pt"),
    "a file of torch before 1.6": saved(plain, old=True),
    "safetensors": safetensors(),
    "safetensors named .pth": safetensors(name="wild.pth"),
    "safetensors that begin like a pickle": begins_like_a_pickle,
    "a .pth named .safetensors": saved(plain, "wild.safetensors"),
    "an old .pth named .safetensors": saved(plain, "wild.safetensors", old=True),
    "model": saved(lambda s: {"model": s}),
    "state_dict": saved(lambda s: {"state_dict": s, "epoch": 7}),
    "model_state_dict": saved(lambda s: {"model_state_dict": s, "optimizer_state_dict": {"state": {}}}),
    "net": saved(lambda s: {"net": s}),
    "weights": saved(lambda s: {"weights": s}),
    "a mapping of the user": saved(lambda s: Attributes(model=Attributes(**s))),
    "tensors with attributes": saved(with_attributes),
    "nested twice": saved(lambda s: {"checkpoint": {"state_dict": s}}),
    "parts in mappings of their own": saved(by_part),
    "module.": saved(lambda s: prefixed(s, "module.")),
    "_orig_mod.": saved(lambda s: prefixed(s, "_orig_mod.")),
    "model.module._orig_mod.": saved(lambda s: {"model": prefixed(s, "module._orig_mod.")}),
    "module. in the middle": saved(
        lambda s: {n.replace("blocks.1.", "blocks.1._checkpoint_wrapped_module."): t for n, t in s.items()}
    ),
    "a safetensors file with a prefix": safetensors(lambda s: prefixed(s, "model.")),
    "a Lightning file": saved(lightning_file, "last.ckpt"),
    "student and teacher": saved(lambda s: {"state_dict": prefixed(other(s), "teacher.") | prefixed(s, "student.")}),
    "upstream's training file": saved(upstream_training_file),
    "upstream's training file, old format": saved(upstream_training_file, old=True),
    "raw weights beside an average": saved(lambda s: {"model": s, "ema": {"shadow": other(s), "decay": 0.99}}),
    "raw weights beside an average, wrapped": saved(lambda s: {"model": s, "model_ema": {"module": other(s)}}),
    "raw weights beside an average in one mapping": saved(
        lambda s: prefixed(other(s), "ema_model.") | prefixed(s, "model.")
    ),
    "an average alone": saved(lambda s: {"state_dict_ema": s, "epoch": 2}),
    "an AveragedModel": saved(lambda s: prefixed(s, "module.") | {"n_averaged": torch.tensor(5)}),
    "parameters instead of tensors": saved(lambda s: {n: torch.nn.Parameter(t) for n, t in s.items()}),
    "strided views": saved(lambda s: {n: torch.stack((t, t + 1), dim=-1)[..., 0] for n, t in s.items()}),
    "float16": saved(lambda s: {n: t.half() for n, t in s.items()}),
    "float64": saved(lambda s: {n: t.double() for n, t in s.items()}),
    "pickle protocol 3": saved(plain, protocol=3),
    "pickle protocol 5": saved(plain, protocol=5),
    "a .pth zipped again": compressed,
    "a .pth without checksums": unchecked,
    "a Hugging Face folder": hugging_face(),
    "a Hugging Face folder of newer names": hugging_face(newer=True),
    "a Hugging Face folder with a .bin": hugging_face(weights="pytorch_model.bin"),
    "the weights file of a Hugging Face folder": hugging_face(give="model.safetensors"),
    "a sharded Hugging Face folder": sharded(),
    "a folder pushed by the hub mixin": pushed_by_hub_mixin,
    "transformers names in a training file": saved(lambda s: {"state_dict": prefixed(to_transformers(s), "net.")}),
}

# Values beside the weights, none of which is used.
COMPANY: dict[str, Callable[[], object]] = {
    "TorchVersion": lambda: torch.__version__,
    "defaultdict": lambda: defaultdict(list, {"loss": [1.0]}),
    "deque": lambda: deque([1, 2], maxlen=3),
    "set and frozenset": lambda: ({1, 2}, frozenset("ab")),
    "times": lambda: (datetime.timedelta(1), datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)),
    "SimpleNamespace": lambda: types.SimpleNamespace(lr=1e-4),
    "Namespace": lambda: argparse.Namespace(lr=1e-4, out=Path("/x")),
    "range, slice, Ellipsis": lambda: (range(3), slice(1, 2), Ellipsis, NotImplemented, int, type(None)),
    "object arrays": lambda: np.array([{"a": 1}, None, "x"], dtype=object),
    "arrays": lambda: (np.arange(5), np.array(["a"]), np.zeros(3, dtype=[("x", "f4")]), np.datetime64("2026-01-02")),
    "numbers": lambda: (Decimal("0.1"), Fraction(1, 3), 1j, 10**40, float("nan"), np.float16(1), np.bool_(True)),
    "an Enum": lambda: (Mode.FAST, Flags.A | Flags.B, {Mode.FAST: 1}),
    "a class of the user": lambda: Settings("x", Mode.FAST, {"deep": [Settings("y", Mode.FAST, {})]}),
    "a dict of the user": lambda: Attributes(lr=1, more=Attributes(a=2)),
    "states of random numbers": lambda: (np.random.RandomState(1), np.random.default_rng(1), random.Random(1)),
    "the state of torch's random numbers": lambda: (torch.get_rng_state(), torch.Generator().get_state()),
    "a device, a layout, a type": lambda: (torch.device("cpu"), torch.strided, torch.bfloat16, torch.Size([1, 2])),
    "references to functions": lambda: (torch.nn.functional.relu, functools.partial(torch.nn.functional.gelu)),
    "builtin functions": lambda: (max, sum, len, operator.itemgetter(1), inspect.Parameter.empty, np.poly1d([1, 2])),
    "a method and a class inside a class": lambda: (Outer.Inner, Outer.Inner(), Outer.shown),
    "a pattern": lambda: re.compile("a+"),
    "errors": lambda: (KeyError("a"), KeyboardInterrupt()),
    "types of typing": lambda: (Any, Callable, typing.Iterator[int], list[int]),
    "a whole module": lambda: torch.nn.Linear(2, 2),
    "an optimizer": lambda: torch.optim.AdamW(torch.nn.Linear(2, 2).parameters()),
    "odd tensors": lambda: [
        torch.eye(3).to_sparse(),
        quantised(torch.ones(3)),
        torch.empty(3, device="meta"),
        nested(torch.ones(3)),
        torch.ones(3).to(torch.float8_e4m3fn),
        torch.ones(3, dtype=torch.uint16),
        torch.ones(1).expand(10**12),
        torch.nn.Parameter(torch.ones(2)),
        torch.ones(3, dtype=torch.complex64).conj(),
    ],
    "keys of every kind": lambda: {1: "a", (2, 3): "b", None: "c", Mode.FAST: "d", 0.5: "e", frozenset("a"): "f"},
}

# Refused as a file, by safe_load.
FAILS_TO_LOAD: Refused = {
    "missing": (lambda path, state: path / "nowhere.pth", "does not exist"),
    "empty": (written(b""), "is empty (0 bytes)"),
    "text": (written(b"here are no weights\n"), "is not a checkpoint: it begins with b'here are no "),
    "one byte": (written(b"\x00"), "is not a checkpoint"),
    "a web page": (written(b"\n<!DOCTYPE html><html>404</html>"), "is a web page"),
    "a Git LFS pointer": (written(b"version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
    "a GGUF file": (written(b"GGUF\x03\x00\x00\x00" + bytes(64)), "GGUF"),
    "a symlink to itself": (symlink_loop, "cannot be read: Too many levels of symbolic links"),
    "a pipe": (named_pipe, "neither a file nor a folder"),
    "a zip of other things": (
        zip_of(**{"a.txt": b"x", "b.txt": b"y"}),
        "zip file but not a checkpoint: it holds a.txt, b.txt",
    ),
    "a numpy archive": (numpy_archive, "zip file but not a checkpoint: it holds weight.npy"),
    "a TorchScript program": (torchscript, "TorchScript"),
    "a .pth without its end": (changed(cut(30), saved(plain)), "damaged or cut off after"),
    "a .pth cut in half": (changed(lambda c: c[: len(c) // 2], saved(plain)), "damaged or cut off after"),
    "a .pth with a piece missing inside": (changed(cut_inside, saved(plain)), "damaged or cut off after"),
    "a .pth with one flipped bit": (changed(flip, saved(plain)), "Bad CRC-32"),
    "a .pth that was zipped again, damaged": (compressed_and_flipped, "damaged or cut off after"),
    "a .pth that was zipped again with a password": (locked, "is a zip file with a password; unpack it"),
    "an old .pth without its end": (
        changed(cut(3000), saved(plain, old=True)),
        "damaged or cut off",
    ),
    "safetensors without its end": (changed(cut(30), safetensors()), "damaged or cut off after"),
    "safetensors with a huge header": (
        written((11 << 20).to_bytes(8, "little") + b"{" + b" " * (11 << 20), "x.safetensors"),
        "has a header of 11534336 bytes, expected at most 10485760",
    ),
    "safetensors whose name is not UTF-8": (safetensors(name="n\udcff.safetensors.pth"), "a name that is not UTF-8"),
    "safetensors cut in the header": (changed(lambda c: c[:200], safetensors()), "damaged or cut off after 200 bytes"),
    "a bomb": (bomb(), "needs posix.system"),
    "a bomb of torch before 1.6": (bomb(old=True), "needs posix.system"),
    "a bomb in a Hugging Face folder": (bomb_in_folder, "needs posix.system"),
    "a bomb in a bare pickle": (bare_pickle_bomb, "is a bare pickle"),
    "a bomb of pickle protocol 5": (bomb(protocol=5), "needs posix.system"),
    "a .pth that unpacks to far more than it holds": (packed_zeros, "and unpacks to 200"),
    "a .pth whose parts overlap": (overlapping, "its parts overlap"),
    "a .pth whose only item is an object": (
        saved(lambda s: {"model": torch.nn.Linear(2, 2)}),
        "holds no weights: only model (of class torch.nn.modules.linear.Linear, which was not run)",
    ),
    "a whole pickled module": (saved(lambda s: torch.nn.Linear(2, 2)), "needs torch.nn.modules.linear.Linear"),
}

# Refused for lack of one whole network, by unwrap.
FAILS_TO_UNWRAP: Refused = {
    "scores without weights": (
        saved(lambda s: {"epoch": 3, "previous_best": {"d1": np.float64(0.9)}}),
        "holds no weights: only epoch, previous_best",
    ),
    "a list": (saved(lambda s: list(s.values())), "holds no weights: it is a list"),
    "an empty dict": (saved(lambda s: {}), "holds no weights: it is an empty dict"),
    "the encoder alone": (saved(without("^depth_head")), "holds only the encoder"),
    "the head alone": (saved(without("^pretrained")), "holds only the head"),
    "a further part": (
        saved(lambda s: s | {"refiner.weight": torch.ones(2)}),
        "beside the network that this version does not know (1): refiner.weight",
    ),
    "two networks": (saved(lambda s: {"left": s, "right": other(s)}), "holds several networks, left. and right."),
    "one tensor twice": (saved(lambda s: s | prefixed(s, "module.")), "holds pretrained.cls_token twice"),
    "another network": (
        saved(lambda s: {"a": torch.ones(2), "b": torch.ones(2)}),
        "is of no family that is exported: none of its tensors (2) is known: a, b; this version exports",
    ),
    "a hostile name": (
        saved(lambda s: {"a\nERROR \x1b[31m" + "x" * 500: torch.ones(2)}),
        "none of its tensors (1) is known: a?ERROR ?[31mxxx",
    ),
}

# Refused as networks of other projects, by other_models.
OTHER_MODELS: Refused = {
    "MiDaS with Next-ViT": (
        saved(
            lambda s: {
                "pretrained.model.features.0.patch_embed.conv.weight": torch.ones(2),
                "scratch.layer1_rn.weight": torch.ones(2),
            }
        ),
        "looks like MiDaS dpt_next_vit_large_384, whose encoder this version does not have; this version exports",
    ),
    "MiDaS with LeViT": (
        saved(
            lambda s: {
                "pretrained.model.blocks.0.m.qkv.c.weight": torch.ones(2),
                "scratch.stem_transpose.0.c.weight": torch.ones(2),
            }
        ),
        "looks like MiDaS dpt_levit_224, whose encoder this version does not have; this version exports",
    ),
    "Video Depth Anything": (
        saved(lambda s: without("^depth_head")(s) | {"head.motion_modules.0.norm.weight": torch.ones(2)}),
        "looks like Video Depth Anything",
    ),
    "register tokens": (saved(lambda s: s | {"pretrained.register_tokens": torch.ones(2)}), "register tokens"),
    "a LoRA adapter": (safetensors(lambda s: {"base_model.model.x.lora_A.weight": torch.ones(2)}), "LoRA adapter"),
    "DINOv2": (
        saved(lambda s: {n.removeprefix("pretrained."): t for n, t in s.items()}),
        "looks like a DINOv2 encoder",
    ),
    "a ResNet": (
        saved(lambda s: {"layer1.0.conv1.weight": torch.ones(2), "fc.bias": torch.ones(2)}),
        "looks like a ResNet",
    ),
}

# Refused for their tensors, by the infer of their family, and by fit.
FAILS_TO_FIT: Refused = {
    "a missing tensor": (
        saved(without(r"blocks\.2\.mlp\.fc2\.bias")),
        "lacks 1 of 127 tensors: pretrained.blocks.2.mlp.fc2.bias;",
    ),
    "many missing tensors": (
        saved(without(r"refinenet[12]")),
        "lacks 20 of 127 tensors: depth_head.scratch.refinenet1.",
    ),
    "a missing width": (saved(without(r"cls_token")), "lacks pretrained.cls_token"),
    "an unknown tensor": (
        saved(lambda s: s | {"depth_head.readout.weight": torch.ones(2)}),
        "holds unknown tensors (1): depth_head.readout.weight;",
    ),
    "another shape": (
        saved(having("pretrained.norm.bias", lambda t: t[:-1])),
        "holds tensors of another shape (1): pretrained.norm.bias is (63,) and not (64,);",
    ),
    "no dimensions": (
        saved(having("pretrained.cls_token", lambda t: t.sum())),
        "holds pretrained.cls_token with the shape (), expected 3 dimensions",
    ),
    "a width without heads": (
        saved(lambda s: {n: t[..., :60] if n.endswith("cls_token") else t for n, t in s.items()}),
        "tokens of width 60, expected a multiple of 64",
    ),
    "a table that is no square": (
        saved(having("pretrained.pos_embed", lambda t: t[:, :-1])),
        "48 positions, expected a square",
    ),
    "a missing block": (saved(without(r"blocks\.1\.")), "lacks pretrained.blocks.1 of 4"),
    "too few blocks": (saved(without(r"blocks\.3\.")), "3 transformer blocks, expected 4"),
    "int8 weights": (
        saved(having("pretrained.blocks.0.attn.qkv.weight", lambda t: t.to(torch.int8))),
        "pretrained.blocks.0.attn.qkv.weight is int8, expected float weights; quantised",
    ),
    "float8 weights": (
        saved(having("pretrained.norm.bias", lambda t: t.to(torch.float8_e4m3fn))),
        "is float8_e4m3fn, expected float weights",
    ),
    "complex weights": (saved(having("pretrained.norm.bias", lambda t: t + 1j)), "is complex64, expected float"),
    "sparse weights": (saved(having("pretrained.norm.bias", lambda t: t.to_sparse())), "expected float weights"),
    "quantised weights": (
        saved(
            having("pretrained.norm.bias", quantised),
        ),
        "pretrained.norm.bias is a quantised tensor, expected float weights",
    ),
    "meta weights": (
        saved(having("pretrained.norm.bias", lambda t: t.to("meta"))),
        "is a meta tensor, expected float weights",
    ),
    "nested weights": (
        saved(having("pretrained.norm.bias", nested)),
        "is a nested tensor, expected float weights",
    ),
    "bool weights": (saved(having("pretrained.norm.bias", lambda t: t > 0)), "is bool, expected float weights"),
    "unsigned weights": (
        saved(having("pretrained.norm.bias", lambda t: t.to(torch.uint16))),
        "is uint16, expected float weights",
    ),
    "a view without memory": (
        saved(having("pretrained.pos_embed", lambda t: t[:, :1, :1].clone().expand(1, 10**6 + 1, 10**6))),
        "pretrained.pos_embed has 1000001000000 values and the file holds 1 for them, expected one for each",
    ),
    "views without memory that would be joined": (
        saved(
            lambda s: {
                n: torch.zeros(1).expand(20_000, 1000) if re.search(r"layer\.2.*(query|key|value)\.weight", n) else t
                for n, t in to_transformers(s).items()
            }
        ),
        "has 60000000 values and the file holds 3 for them",
    ),
    "NaN": (
        saved(having("depth_head.projects.2.bias", with_value(float("nan")))),
        "depth_head.projects.2.bias holds NaN",
    ),
    "infinity": (
        saved(having("depth_head.projects.2.bias", with_value(float("-inf")))),
        "depth_head.projects.2.bias holds NaN",
    ),
    "a query without a key": (
        saved(lambda s: without(r"layer\.2.*attention\.key\.bias")(to_transformers(s))),
        "pretrained.blocks.2.attn.qkv.bias needs the parts q, k, v, k is missing",
    ),
}

# Refused as Hugging Face folders, by hf_folder.
BAD_FOLDERS: Refused = {
    "a folder without config.json": (
        folder_of(some__pth=b"x"),
        "without config.json, so not a Hugging Face model; give the file itself, e.g. some.pth",
    ),
    "a folder without weights": (folder_of(tiny_config()), "holds none of model.safetensors"),
    "a diffusers pipeline": (
        folder_of(model_index__json=b"{}"),
        "is a pipeline without a _class_name; of diffusers' pipelines this version exports Marigold",
    ),
    "a folder of another model": (folder_of({"model_type": "glpn"}, model__safetensors=b"x"), "is a glpn model"),
    "a config that is not JSON": (folder_of(config__json=b"{", model__safetensors=b"x"), "config.json is not JSON"),
    "a missing shard": (
        sharded(lambda folder: (folder / "model-00002-of-00003.safetensors").unlink()),
        "names 3 shards and 1 are missing, e.g. model-00002",
    ),
    "a shard outside the folder": (sharded(redirect_shard), "names a file outside its folder, ../model-00002"),
}


def read_tiny(path: Path, *, max_depth_m: float | None = None, weights: WhichWeights = "auto") -> Checkpoint:
    """Read a checkpoint of the tiny network as Depth Anything V2."""
    kind: Kind = "inverse" if max_depth_m is None else "metric"
    return read_checkpoint(path, family="depth-anything-v2", kind=kind, max_depth_m=max_depth_m, weights=weights)


def assert_holds(found: Checkpoint, expected: State) -> None:
    """Hold a checkpoint to the weights that went into its file, bit for bit."""
    assert found.tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found.tensors[name].dtype == torch.float32, name
        assert torch.equal(found.tensors[name], tensor.float()), name


def assert_refused(write: Write, fragment: str, state: State, folder: Path) -> None:
    """Hold a bad checkpoint to its refusal: one line that begins with its path and contains the fragment."""
    path = write(folder, state)
    with pytest.raises(ModelFileError) as caught:
        read_tiny(path)
    message = str(caught.value)
    assert fragment in message
    assert "\n" not in message
    assert message.startswith(str(folder)), "the message begins with the file it is about"
    assert not (folder / "ran").exists(), "code in the file was run"
