"""A model file's contract says what its checkpoint is, and its sizes fit the network's patches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made import CANARY
from official_state import REAL
from tiny_model import TinyModel

import depthrt
from depthrt import InputError
from depthrt.engine.modelfile.contract import Canary, Contract, FinalResize, read_contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import AttentionOp, Family, Kind
from depthrt.export.checkpoint.checkpoint import Checkpoint
from depthrt.export.make_contract import make_contract, size_rule
from depthrt.export.network.architecture import ConvArchitecture
from depthrt.export.network.network import AnyArchitecture

CONVOLUTIONS = ConvArchitecture(widths=(8, 16, 24, 32), depths=(1, 1, 2, 1), features=8)


def checkpoint(
    architecture: AnyArchitecture, family: Family, kind: Kind = "inverse", max_depth_m: float | None = None
) -> Checkpoint:
    return Checkpoint(
        path=Path("somewhere/mine.pth"),
        sha256="1" * 64,
        family=family,
        kind=kind,
        max_depth_m=max_depth_m,
        architecture=architecture,
        tensors={},
        licence="Apache-2.0",
        remarks=(),
    )


def contract_of(
    found: Checkpoint, *, size: int | tuple[int, int] = 252, attention: AttentionOp = "fused", canary: Canary = CANARY
) -> Contract:
    rule = size_rule(found, size)
    return make_contract(found, rule, precision="fp16", attention=attention, canary=canary)


# Source: the interpolate call after the network in each repository's inference code.
@pytest.mark.parametrize(
    ("family", "final_resize"),
    [("depth-anything-v1", "bilinear_centres"), ("depth-anything-v2", "bilinear_corners")],
)
def test_each_family_resizes_its_output_as_upstream(family: Family, final_resize: FinalResize) -> None:
    assert contract_of(checkpoint(REAL["vits"], family)).final_resize == final_resize


@pytest.mark.parametrize("name", ["a\nb.pth", "\x1b[2J.pth", "caf\udce9.pth", "x" * 300, "größer 東京.pth"])
def test_every_name_of_a_checkpoint_gives_a_contract_that_reads(name: str) -> None:
    made = contract_of(replace(checkpoint(REAL["vits"], "depth-anything-v2"), path=Path("somewhere", name)))
    read = Contract.from_json(made.to_json())
    assert read == made and (read.source_name == name) == name.startswith("größer")


def test_a_contract_says_what_the_checkpoint_is() -> None:
    found = contract_of(checkpoint(REAL["vitb"], "depth-anything-v2", "metric", 20.0), attention="plain")
    assert (found.model, found.unit) == ("depth-anything-v2-vitb-metric-20m", "m")
    assert (found.precision, found.attention, found.licence) == ("fp16", "plain", "Apache-2.0")
    assert (found.source_name, found.source_sha256) == ("mine.pth", "1" * 64)
    assert found.producer == f"depthrt {depthrt.__version__}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("hub/models--LiheYoung--depth-anything-small-hf/snapshots/0123abcd", "LiheYoung/depth-anything-small-hf"),
        ("hub/models--a--b/snapshots/0123abcd/weights.pth", "weights.pth"),
        ("snapshots/mine", "mine"),
    ],
)
def test_a_folder_of_the_hubs_cache_has_the_name_of_its_repository(path: str, name: str) -> None:
    found = contract_of(replace(checkpoint(REAL["vits"], "depth-anything-v1"), path=Path(path)))
    assert found.source_name == name


def test_a_network_without_attention_has_none_in_its_contract() -> None:
    found = contract_of(checkpoint(CONVOLUTIONS, "depthrt"), size=96)
    assert (found.attention, found.model, found.size.multiple_px) == ("none", "depthrt-conv32x5", 32)


@pytest.mark.parametrize(("size", "batch"), [(252, None), ((252, 336), 1)])
def test_only_a_static_file_fixes_the_batch(size: int | tuple[int, int], batch: int | None) -> None:
    assert contract_of(checkpoint(REAL["vits"], "depth-anything-v2"), size=size).batch == batch


def test_a_written_file_has_the_contract_of_its_checkpoint(tiny_metric: TinyModel) -> None:
    contract = read_contract(tiny_metric.onnx)
    assert (contract.kind, contract.max_depth_m, contract.final_resize) == ("metric", 20.0, "bilinear_corners")
    assert contract.source_name == "tiny.pth" and len(contract.source_sha256) == 64
    assert contract.producer == f"depthrt {depthrt.__version__}"


@pytest.mark.parametrize(
    ("size", "rule"),
    [
        (None, SizeRule((518, 518), 14, "lower_bound")),
        (518, SizeRule((518, 518), 14, "lower_bound")),
        (14, SizeRule((14, 14), 14, "lower_bound")),
        ((252, 336), SizeRule((252, 336), 14, "letterbox")),
        ((14, 14), SizeRule((14, 14), 14, "letterbox")),
    ],
)
def test_one_number_is_a_dynamic_size_and_two_are_a_static_one(
    size: int | tuple[int, int] | None, rule: SizeRule
) -> None:
    assert size_rule(checkpoint(REAL["vits"], "depth-anything-v2"), size) == rule


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (500, "size 500 found, expected multiples of the network's 14 px patch; try 504"),
        (7, "try 14"),
        (0, "try 14"),
        (-14, "size -14 found.*try 14"),
        ((500, 518), "size 500x518 found.*try 504x518"),
        ((518, 0), "size 518x0 found.*try 518x14"),
        (14 * 1200, r"size.base_px\[0\] is 16800, expected a whole number from 1 to 16384; give a smaller size"),
        (14 * 10**30, r"size.base_px\[0\] is a whole number of \d+ bits, expected a whole number from 1 to 16384"),
    ],
)
def test_a_size_off_the_patches_is_refused_with_the_nearest(size: int | tuple[int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        size_rule(checkpoint(REAL["vits"], "depth-anything-v2"), size)


def test_a_graph_without_its_mirror_image_says_so() -> None:
    found = checkpoint(CONVOLUTIONS, "depthrt")
    rule = size_rule(found, 96)
    made = [
        make_contract(found, rule, precision="fp32", attention="plain", canary=CANARY, mirror=mirror)
        for mirror in (True, False)
    ]
    assert [contract.mirrored for contract in made] == [True, False]
