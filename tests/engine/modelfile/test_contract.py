from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from made import CONTRACT
from made_onnx import onnx_file

from depthrt import ContractError, ModelFileError
from depthrt.engine.modelfile.contract import METADATA_KEY, Contract, read_contract
from depthrt.engine.modelfile.digest import Beside, Digest
from depthrt.engine.modelfile.onnx_metadata import read_onnx_metadata
from depthrt.engine.modelfile.shipped import model_path

DIGEST = Digest(5, "0" * 8, "1" * 64, (Beside("beside.data", 7, "2" * 8, "3" * 64),))
DIGEST_FOUND = asdict(DIGEST)


def test_a_contract_comes_back_from_an_onnx_file(tmp_path: Path) -> None:
    metadata = {"other": "ü" * 300, METADATA_KEY: CONTRACT.to_json()}
    path = onnx_file(tmp_path / "model.onnx", metadata, weight_bytes=3_000_000)
    assert read_contract(path) == CONTRACT


def test_names_and_units_follow_the_kind() -> None:
    metric = replace(CONTRACT, kind="metric", max_depth_m=20.0)
    assert (CONTRACT.model, CONTRACT.unit) == ("depth-anything-v2-vits", "")
    assert (metric.model, metric.unit) == ("depth-anything-v2-vits-metric-20m", "m")
    unbounded = replace(metric, family="zoedepth", encoder="nk", max_depth_m=None)
    assert (unbounded.model, unbounded.unit) == ("zoedepth-nk-metric", "m")
    affine, scale = replace(CONTRACT, kind="affine"), replace(CONTRACT, kind="scale")
    assert {affine.model, scale.model} == {CONTRACT.model} and affine.unit == scale.unit == ""


def changed(**changes: object) -> str:
    return json.dumps({**json.loads(CONTRACT.to_json()), **changes})


def changed_canary(**changes: object) -> str:
    return changed(canary={**json.loads(CONTRACT.to_json())["canary"], **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", r"contract is not JSON \(Expecting value: .*\); export the model again"),
        ("[]", "contract is not a JSON object"),
        (
            changed(format=99),
            r"contract\.format is 99, this depthrt reads 1 and 2 \(install the depthrt that wrote the other",
        ),
        (changed(surprise=1), r"contract\.surprise is an unknown key; export the model again"),
        (changed(size=None), r"contract\.size is null, expected an object"),
        (
            changed(kind="upside-down"),
            r"contract\.kind is 'upside-down', expected one of inverse, metric, affine, scale",
        ),
        (changed(max_depth_m=20.0), r"contract\.max_depth_m is 20, expected null for kind inverse"),
        (changed(kind="scale", max_depth_m=20.0), r"contract\.max_depth_m is 20, expected null for kind scale"),
        (changed(kind="metric", max_depth_m=0.0), r"contract\.max_depth_m is 0\.0, expected a finite number above 0"),
        (changed(focal_unit_px=300.0), r"contract\.focal_unit_px is 300, expected null for kind inverse"),
        (changed(kind="affine", sky_from=0.3), r"contract\.sky_from is 0\.3, expected null for kind affine"),
        (changed(seed=1), r"contract\.seed is 1, expected null where steps is null"),
        (changed(steps=4), r"contract\.seed is null, expected a whole number for 4 steps"),
        (changed(steps=0, seed=1), r"contract\.steps is 0, expected a whole number from 1 to 1000 or null"),
        (changed(steps=1, seed=2**32), r"contract\.seed is 4294967296, expected a whole number from 0 to 4294967295"),
        (
            changed(in_float32=["LayerNorm"]),
            r"contract\.in_float32 holds LayerNorm, expected nothing for precision fp32",
        ),
        (changed(in_float32=[1]), r"contract\.in_float32\[0\] is 1, expected"),
        (changed(mirrored=1), r"contract\.mirrored is 1, expected true or false"),
        (changed(input_resize="nearest"), r"contract\.input_resize is 'nearest', expected one of cubic, bilinear_c"),
        (changed(final_resize="nearest"), r"contract\.final_resize is 'nearest', expected one of bilinear_corners"),
        (
            changed(precision="fp64"),
            r"contract\.precision is 'fp64', expected one of fp32, fp16, fp16-safe, bf16, int8",
        ),
        (changed(std=[None, 1, 1]), r"contract\.std\[0\] is null, expected a finite number"),
        (changed(mean=[0.5, float("nan"), 0.5]), r"contract is not JSON \(NaN is not a JSON number\)"),
        (changed(mean=[0.5, -0.5, 0.5]), r"contract\.mean\[1\] is -0\.5, expected a finite number from 0 to 1"),
        (changed(batch=0), r"contract\.batch is 0, expected a whole number from 1 to 1024 or null"),
        (changed(licence="MIT\x1b]0;"), r"contract\.licence is 'MIT\\x1b\]0;', expected text of 0 to 10000 printable"),
        (
            changed_canary(tolerance=0.5),
            r"contract\.canary\.tolerance is 0\.5, expected at most 0\.05 for precision fp32",
        ),
        (changed_canary(answer="AAA*"), r"contract\.canary\.answer is not base64 of 784 float32 values"),
        (
            changed_canary(answer="AAAA"),
            r"contract\.canary\.answer has 3 bytes, expected 3136 for 28x28 and stride_px 1",
        ),
        (changed_canary(formula="discs-9"), r"contract\.canary\.formula is 'discs-9', expected discs-1"),
        (
            changed_canary(size_px=[100_000, 100_000]),
            r"contract\.canary\.size_px\[0\] is 100000, expected a whole number",
        ),
        (
            changed_canary(size_px=[16_000, 16_000]),
            r"contract\.canary\.size_px is 16000x16000, expected at most 16777216",
        ),
        (changed(std=[0.0, 1.0, 1.0]), r"contract\.std\[0\] is 0\.0, expected a finite number from 0\.0001 to 10"),
    ],
)
def test_a_wrong_contract_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ContractError, match=message) as caught:
        Contract.from_json(text)
    assert "\n" not in str(caught.value)


def test_an_onnx_file_of_others_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"carries no depthrt contract.*depthrt export"):
        read_contract(onnx_file(tmp_path / "foreign.onnx", {}))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"does not exist; give the \.onnx file"):
        read_contract(tmp_path / "nothing.onnx")


def test_the_contract_of_the_shipped_model_reads_and_is_written_as_it_stands() -> None:
    path = model_path("default")
    text = read_onnx_metadata(path)[METADATA_KEY]
    assert Contract.from_json(text).to_json() == text
    contract = read_contract(path)
    assert contract.canary.size_px == (576, 768)
    assert (contract.format, contract.mirrored) == (1, True)  # its graph answers so, its format has no word for it


# What depthrt 0.1 wrote for a metric model.
FORMAT_1 = (
    '{"format": 1, "family": "depth-anything-v2", "encoder": "vits", "kind": "metric", "max_depth_m": 20.0, '
    '"size": {"base_px": [518, 518], "multiple_px": 14, "rule": "lower_bound"}, "mean": [0.485, 0.456, 0.406], '
    '"std": [0.229, 0.224, 0.225], "final_resize": "bilinear_corners", "batch": null, "precision": "fp32", '
    '"attention": "fused", "source_name": "made.pth", "source_sha256": "' + 64 * "0" + '", "licence": "unknown", '
    '"producer": "depthrt test", "canary": {"formula": "discs-1", "size_px": [28, 28], "stride_px": 14, '
    '"answer": "AACAPwAAAEAAAGBAAACAQA==", "tolerance": 1e-05}}'
)


def of_format_1(**changes: object) -> str:
    return json.dumps({**json.loads(FORMAT_1), **changes})


def test_a_contract_of_format_1_reads_with_the_defaults_and_is_written_as_it_stands() -> None:
    """Digests, names of weights beside a file and keys of the cache have this very text in them."""
    contract = Contract.from_json(FORMAT_1)
    assert contract.to_json() == FORMAT_1
    assert (contract.size.pad, contract.size.margin, contract.input_resize, contract.mirrored) == (
        *("mirror", "none", "cubic"),
        False,
    )
    assert (contract.steps, contract.seed, contract.focal_unit_px, contract.sky_from) == (None,) * 4
    engine = replace(contract, canary=replace(contract.canary, tolerance=1e-3))
    assert Contract.from_json(engine.to_json()) == engine
    assert json.loads(engine.to_json()).keys() == json.loads(FORMAT_1).keys()


def test_a_metric_contract_says_at_which_focal_length_it_has_metres() -> None:
    metric = Contract.from_json(FORMAT_1)
    assert metric.kind == "metric" and metric.metres_at == "learned"
    assert replace(metric, focal_unit_px=300.0).metres_at == 300.0
    assert replace(metric, kind="inverse", max_depth_m=None).metres_at is None


def test_graphs_of_the_default_models_family_were_mirrored_in_format_1() -> None:
    text = of_format_1(family="depthrt", encoder="conv384x9")
    assert Contract.from_json(text).mirrored and Contract.from_json(text).to_json() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (of_format_1(mirrored=False), r"contract\.mirrored is an unknown key in format 1"),
        (of_format_1(sky_from=None), r"contract\.sky_from is an unknown key in format 1"),
        (of_format_1(adopted={}), r"contract\.adopted is an unknown key in format 1"),
        (
            of_format_1(size={"base_px": [518, 518], "multiple_px": 14, "rule": "lower_bound", "pad": "mirror"}),
            r"contract\.size\.pad is an unknown key in format 1",
        ),
        (
            of_format_1(size={"base_px": [518, 518], "multiple_px": 14, "rule": "minimal"}),
            r"contract\.size\.rule is 'minimal', expected one of lower_bound, letterbox; export",
        ),
        (of_format_1(size=5), r"contract\.size is 5, expected an object"),
        (of_format_1(kind="affine"), r"contract\.kind is 'affine', expected one of inverse, metric; export"),
        (
            of_format_1(final_resize="bicubic"),
            r"contract\.final_resize is 'bicubic', expected one of bilinear_corners, bilinear_centres; export",
        ),
        (of_format_1(max_depth_m=None), r"contract\.max_depth_m is null, expected a number above 0 for kind metric"),
    ],
)
def test_format_1_takes_no_word_that_came_later(text: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        Contract.from_json(text)


def test_a_contract_of_today_has_every_key_of_its_format() -> None:
    """Names of weights beside a file and keys of the cache have the hash of this text in them."""
    found = json.loads(CONTRACT.to_json())
    assert list(found)[:6] == ["format", "family", "encoder", "kind", "max_depth_m", "size"]
    before = {"format": 2, **{key: value for key, value in asdict(CONTRACT).items() if key != "format"}}
    assert before.pop("digest") is None and before.pop("adopted") is None
    assert CONTRACT.to_json() == json.dumps(before)
    assert replace(CONTRACT, digest=DIGEST).without_digest().to_json() == CONTRACT.to_json()


def test_a_digest_comes_back_and_has_a_key_only_where_it_is() -> None:
    sealed = replace(CONTRACT, digest=DIGEST)
    assert Contract.from_json(sealed.to_json()) == sealed
    assert Contract.from_json(CONTRACT.to_json()).digest is None


@pytest.mark.parametrize(
    ("digest", "message"),
    [
        (None, r"contract\.digest is null, expected an object; export the model again"),
        ({**DIGEST_FOUND, "crc32": "0000000G"}, r"digest\.crc32 is '0000000G', expected text of 8 hexadecimal digits"),
        ({**DIGEST_FOUND, "bytes": True}, r"digest\.bytes is true, expected a whole number from 0"),
        (
            {**DIGEST_FOUND, "weights": [{**DIGEST_FOUND["weights"][0], "name": "../beside.data"}]},
            r"digest\.weights\[0\]\.name is '\.\./beside\.data', expected text .* without a folder",
        ),
    ],
)
def test_a_wrong_digest_is_refused_in_one_line(digest: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        Contract.from_json(changed(digest=digest))


def test_a_pipe_and_a_device_are_no_model_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    for path in (tmp_path / "pipe.onnx", Path("/dev/zero")):
        with pytest.raises(ModelFileError, match=f"{path} is a pipe or a device, expected an .onnx or .engine file"):
            read_contract(path)
