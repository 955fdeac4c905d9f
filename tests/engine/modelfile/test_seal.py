"""The digest of a model file: every change of its bytes, its meaning and the weights beside it is one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from made import CONTRACT
from made_engine import write_mean
from made_onnx import onnx_file, unsealed
from tiny_model import TinyModel

import depthrt
from depthrt import ContractError, ModelFileError
from depthrt.engine.modelfile.contract import METADATA_KEY, Contract, read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.modelfile.onnx_metadata import read_onnx_metadata
from depthrt.engine.modelfile.seal import check_whole, seal_file, sum_bytes
from depthrt.engine.modelfile.shipped import model_path
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.export.onnx_file.weights_beside import fresh_name

CHANGED = "was changed since it was exported, or is damaged"
FLIPS = 762  # as many as were tried on the canary only, which let 92 of them pass
MEANINGS: dict[str, Callable[[Contract], Contract]] = {
    "inverse as metric": lambda known: replace(known, kind="metric", max_depth_m=20.0),
    "base of the size rule": lambda known: replace(known, size=SizeRule((252, 252), 14, "lower_bound")),
    "multiple": lambda known: replace(known, size=SizeRule((252, 252), 28, "lower_bound")),
    "rule": lambda known: replace(known, size=replace(known.size, rule="letterbox", base_px=known.canary.size_px)),
    "batch": lambda known: replace(known, batch=1),
    "family": lambda known: replace(known, family="depth-anything-v1"),
    "encoder": lambda known: replace(known, encoder="vitl"),
    "mean": lambda known: replace(known, mean=(0.5, 0.5, 0.5)),
    "deviation": lambda known: replace(known, std=(0.5, 0.5, 0.5)),
    "final resize": lambda known: replace(known, final_resize="bilinear_centres"),
    "precision": lambda known: replace(known, precision="fp16"),
    "attention": lambda known: replace(known, attention="plain"),
    "source": lambda known: replace(known, source_sha256="f" * 64),
    "licence": lambda known: replace(known, licence="MIT"),
    "producer": lambda known: replace(known, producer="depthrt 9"),
    "tolerance": lambda known: replace(known, canary=replace(known.canary, tolerance=0.05)),
}


def rewritten(source: Path, path: Path, change: Callable[[Contract], Contract]) -> Path:
    """Write a model file with another contract, as the onnx library does."""
    model = onnx.load(source)
    (entry,) = model.metadata_props
    entry.value = change(Contract.from_json(entry.value)).to_json()
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("change", MEANINGS.values(), ids=MEANINGS)
def test_a_changed_meaning_is_one_line(tiny: TinyModel, tmp_path: Path, change: Callable[[Contract], Contract]) -> None:
    path = rewritten(tiny.onnx, tmp_path / "changed.onnx", change)
    with pytest.raises(ModelFileError, match=f"changed.onnx {CHANGED}: crc32 [0-9a-f]+ found, .* or export it again"):
        depthrt.load(path)


def test_metric_called_inverse_is_one_line(tmp_path: Path) -> None:
    metric = write_mean(tmp_path / "metric.onnx", replace(CONTRACT, kind="metric", max_depth_m=20.0))
    path = rewritten(metric, tmp_path / "changed.onnx", lambda known: replace(known, kind="inverse", max_depth_m=None))
    with pytest.raises(ModelFileError, match=CHANGED):
        check_whole(path, read_contract(path))


def test_a_file_that_another_program_saved_unchanged_is_whole(tiny: TinyModel, tmp_path: Path) -> None:
    path = rewritten(tiny.onnx, tmp_path / "same.onnx", lambda known: known)
    for thorough in (False, True):
        check_whole(path, read_contract(path), thorough=thorough)


def test_a_file_with_another_graph_or_order_is_not(tiny: TinyModel, tmp_path: Path) -> None:
    model = onnx.load(tiny.onnx)
    model.graph.node[0].name = "other"
    onnx.save(model, tmp_path / "changed.onnx")
    for thorough in (False, True):
        with pytest.raises(ModelFileError, match=CHANGED):
            check_whole(tmp_path / "changed.onnx", read_contract(tmp_path / "changed.onnx"), thorough=thorough)


def test_every_bit_that_flips_is_noticed(tmp_path: Path) -> None:
    path = write_mean(tmp_path / "mean.onnx")
    whole = path.read_bytes()
    for bit in np.random.default_rng(0).choice(8 * len(whole), FLIPS, replace=False):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(data)
        with pytest.raises((ModelFileError, ContractError)) as caught:
            check_whole(path, read_contract(path))
        assert "\n" not in str(caught.value)


def test_bits_of_weights_that_flip_in_a_file_that_was_loaded_before_are_noticed(
    tiny: TinyModel, tmp_path: Path
) -> None:
    path = tmp_path / "copy.onnx"
    path.write_bytes(tiny.onnx.read_bytes())
    depthrt.load(path, device="cpu").close()
    facts, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 64
    path.write_bytes(data)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(ModelFileError, match=CHANGED):
        depthrt.load(path, device="cpu")


@pytest.fixture
def with_weights(tmp_path: Path) -> tuple[Path, Path]:
    """Return a sealed file and the file of weights beside it."""
    path = onnx_file(tmp_path / "model.onnx", {})
    weights = fresh_name(path, CONTRACT.to_json())
    weights.write_bytes(bytes(range(256)) * 100)
    seal_file(path, CONTRACT, weights)
    return path, weights


def test_weights_beside_the_file_are_a_part_of_it(with_weights: tuple[Path, Path]) -> None:
    path, weights = with_weights
    contract, whole = read_contract(path), weights.read_bytes()
    check_whole(path, contract, thorough=True)
    for wrong in (whole[:-1], whole + b"\0", whole[:1000] + b"?" + whole[1001:]):
        weights.write_bytes(wrong)
        for thorough in (False, True):
            with pytest.raises(ModelFileError, match=f"{weights.name} {CHANGED}"):
                check_whole(path, contract, thorough=thorough)
    weights.unlink()
    with pytest.raises(ModelFileError, match=f"has its weights in {weights.name}, .*; copy both files to one folder"):
        check_whole(path, contract)


def test_links_to_a_file_and_to_its_weights_are_the_files(with_weights: tuple[Path, Path], tmp_path: Path) -> None:
    path, weights = with_weights
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link.onnx"
    link.symlink_to(path)
    with pytest.raises(ModelFileError, match=r"link\.onnx has its weights in .*, which is not beside it"):
        check_whole(link, read_contract(link))  # the runtimes look beside the link too
    (tmp_path / "links" / weights.name).symlink_to(weights)
    check_whole(link, read_contract(link))


def test_a_file_of_an_older_version_loads_and_says_that_it_has_no_digest(tmp_path: Path, tiny: TinyModel) -> None:
    path = tmp_path / "old.onnx"
    path.write_bytes(tiny.onnx.read_bytes())
    check_whole(unsealed(path), read_contract(path))
    with depthrt.load(path, device="cpu") as model:
        assert any("old.onnx has no digest" in note and "export it again" in note for note in model.notes)
    with depthrt.load(tiny.onnx, device="cpu") as model:
        assert not any("digest" in note for note in model.notes)


def test_sums_of_a_file_without_a_digest_are_those_of_all_its_bytes(with_weights: tuple[Path, Path]) -> None:
    path, weights = with_weights
    file = open_model_file(unsealed(path))
    first = sum_bytes(file)
    assert len(first) == 2
    weights.write_bytes(weights.read_bytes()[::-1])
    assert sum_bytes(file)[0] == first[0] and sum_bytes(file)[1] != first[1]
    weights.unlink()
    os.mkfifo(weights)  # to read a pipe would wait for who writes it
    with pytest.raises(ModelFileError, match="is a pipe, expected the weights of a model file"):
        sum_bytes(file)


def test_the_shipped_model_has_its_digest() -> None:
    path = model_path("default")
    contract = read_contract(path)
    assert contract.digest is not None and list(read_onnx_metadata(path)) == [METADATA_KEY]
    check_whole(path, contract, thorough=True)
