"""The whole way of Depth Anything 3: official folder, export, runtimes, depth at the image's size, metres and sky.

The networks' own exactness is held in tests/export/network; here the file must answer as the second writing of network,
preprocessing, fill and metres.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from official_images import da3_input
from random_depth_anything3 import TINY_ANY_VIEW, TINY_SKY, export_da3
from reference_depth_anything3 import reference_infer, reference_outputs
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt import InputError, Intrinsics
from depthrt.cli import main
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.choice import Choice
from depthrt.export.network.depth_anything3.architecture import Da3Architecture
from depthrt.export.trace import OPSET

TOLERANCE = 1e-4  # of the range: the bar for float32; a wrong size, resize or fill costs 1e-3 and more
BETWEEN_RUNTIMES = 2e-5  # of the range
SAME_METRES = 2e-2  # of the depth: pictures of two sizes become almost the same input
EDGE_PX, FOCAL_PX = 140, 520.0


@pytest.fixture(scope="module")
def any_view(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    return export_da3(TINY_ANY_VIEW, tmp_path_factory.mktemp("any"), kind="scale", size=EDGE_PX)


@pytest.fixture(params=["sky", "any view"])
def subject(request: pytest.FixtureRequest) -> tuple[Da3Architecture, TinyModel]:
    if request.param == "sky":
        return TINY_SKY, request.getfixturevalue("tiny_sky")
    return TINY_ANY_VIEW, request.getfixturevalue("any_view")


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    whole = depthrt.read_image(PHOTOS / "coffee.jpg")
    return np.asarray(cv2.resize(whole, (240, 180), interpolation=cv2.INTER_AREA), np.uint8)  # (w, h)


def official(
    subject: tuple[Da3Architecture, TinyModel], bgr: np.ndarray, focal_px: float | None
) -> tuple[np.ndarray, np.ndarray]:
    batch = torch.from_numpy(da3_input(np.ascontiguousarray(bgr[..., ::-1]), EDGE_PX))[None]
    with torch.inference_mode():
        depth, sky = reference_outputs(subject[1].state, batch, subject[0].taps)
    return reference_infer(depth[0].numpy(), None if sky is None else sky[0].numpy(), bgr.shape[:2], focal_px)


def test_a_file_gives_the_official_depth_and_sky_of_a_landscape_and_a_portrait(
    subject: tuple[Da3Architecture, TinyModel], photo: np.ndarray
) -> None:
    has_sky = subject[0].has_sky
    with depthrt.load(subject[1].onnx, device="cpu") as model:
        for bgr in (photo, np.ascontiguousarray(np.rot90(photo))):
            for focal_px in (None, FOCAL_PX) if has_sky else (None,):
                values, sky = official(subject, bgr, focal_px)
                depth = model.infer(bgr, focal_px=focal_px)
                assert np.abs(depth.values - values).max() <= TOLERANCE * np.ptp(values)
                assert np.array_equal(depth.valid, ~sky) and sky.any() == has_sky


def test_its_graph_is_clean_and_its_contract_says_what_its_numbers_mean(
    subject: tuple[Da3Architecture, TinyModel],
) -> None:
    graph, has_sky = onnx.load(subject[1].onnx), subject[0].has_sky
    assert {entry.version for entry in graph.opset_import if entry.domain == ""} == {OPSET}
    assert not {"IsNaN", "If", "Loop"} & {node.op_type for node in graph.graph.node}
    sides = {
        output.name: [side.dim_param or side.dim_value for side in output.type.tensor_type.shape.dim]
        for output in graph.graph.output
    }
    outputs = ["depth", "sky"] if has_sky else ["depth"]
    assert sides == {name: ["batch", "height", "width"] for name in outputs}
    contract = read_contract(subject[1].onnx)
    assert (contract.family, contract.kind) == ("depth-anything-3", "metric" if has_sky else "scale")
    assert (contract.focal_unit_px, contract.sky_from) == ((300.0, 0.3) if has_sky else (None, None))
    assert (contract.size.rule, contract.input_resize) == ("longest_nearest", "area_uint8")


def test_both_runtimes_answer_alike_for_two_sizes(
    subject: tuple[Da3Architecture, TinyModel], photo: np.ndarray
) -> None:
    pytest.importorskip("openvino")
    with (
        depthrt.load(subject[1].onnx, device="cpu") as first,
        depthrt.load(subject[1].onnx, choice=Choice("openvino", "fp32", 1)) as second,
    ):
        for bgr in (photo, photo[:, :150]):
            expected, found = first.infer(bgr), second.infer(bgr)
            assert np.abs(found.values - expected.values).max() <= BETWEEN_RUNTIMES * np.ptp(expected.values)
            assert np.array_equal(found.valid, expected.valid)
        assert {second.infer(bgr).provenance.input_px for bgr in (photo, photo[:, :150])} == {(112, 140), (140, 112)}


def test_without_a_focal_length_nothing_is_called_metres(tiny_sky: TinyModel, photo: np.ndarray) -> None:
    with depthrt.load(tiny_sky.onnx, device="cpu") as model:
        depth = model.infer(photo)
        assert (depth.kind, depth.unit, model.kind, depth.provenance.focal_px) == ("scale", "", "scale", None)
        without = r"no metres: no focal length was given, .* --focal-px or --fov makes"
        with pytest.raises(InputError, match=without):
            _ = depth.metres
        with pytest.raises(InputError, match=without):
            depth.points(Intrinsics.from_fov(60, *depth.shape))
        metric = model.infer(photo, focal_px=FOCAL_PX)
    assert (metric.kind, metric.unit, metric.provenance.focal_px) == ("metric", "m", FOCAL_PX)
    points = metric.points(Intrinsics(FOCAL_PX, FOCAL_PX, 120, 90))
    assert len(points) == np.count_nonzero(metric.valid) < metric.values.size
    assert np.array_equal(metric.valid, depth.valid)


def test_the_sky_is_filled_the_same_twice_and_the_same_on_every_thread(tiny_sky: TinyModel, photo: np.ndarray) -> None:
    with depthrt.load(tiny_sky.onnx, device="cpu", threads=1) as model:
        first, *others = (model.infer(photo), model.infer(photo), *model.infer_batch([photo, photo[::-1], photo])[::2])
        assert len(np.unique(first.values[~first.valid])) == 1
        assert all(np.array_equal(first.values, other.values) for other in others)


def test_a_photograph_has_the_same_metres_at_half_its_size(tiny_sky: TinyModel) -> None:
    whole = cv2.resize(depthrt.read_image(PHOTOS / "coffee.jpg"), (1920, 1080), interpolation=cv2.INTER_AREA)  # (w, h)
    half = cv2.resize(whole, (960, 540), interpolation=cv2.INTER_AREA)
    with depthrt.load(tiny_sky.onnx, device="cpu") as model:
        large = model.infer(np.asarray(whole, np.uint8), focal_px=1500)
        small = model.infer(np.asarray(half, np.uint8), focal_px=750)
    values, valid = (part.reshape(540, 2, 960, 2) for part in (large.values, large.valid))
    apart = np.abs(values.mean((1, 3)) / small.values - 1)[small.valid & valid.all((1, 3))]
    assert np.median(apart) <= SAME_METRES / 4 and np.percentile(apart, 99) <= SAME_METRES


def test_the_verb_takes_a_focal_length_or_a_field_of_view(
    tiny_sky: TinyModel, any_view: TinyModel, tmp_path: Path
) -> None:
    def run(onnx: Path, *options: str) -> tuple[int, str, str]:
        command = ["run", str(PHOTOS / "coffee.jpg"), "-m", str(onnx), "--device", "cpu", "-o", str(tmp_path / "out")]
        found = CliRunner().invoke(main, [*command, "--json", *options])
        return found.exit_code, found.stdout, found.stderr

    formats = ("-f", "npz", "-f", "png16", "-f", "color")
    code, out, err = run(tiny_sky.onnx, *formats)
    assert (code, json.loads(out)["unit"]) == (0, "") and "no focal length was given" in err
    by_fov, by_focal = (
        json.loads(run(tiny_sky.onnx, *formats, *lens)[1]) for lens in (("--fov", "60"), ("--focal-px", "519.615"))
    )
    assert by_fov["kind"] == by_focal["kind"] == "metric"
    assert by_fov["max"] == pytest.approx(by_focal["max"], rel=1e-5) and by_fov["valid"] < 1
    kept = depthrt.Depth.load(tmp_path / "out" / "coffee.npz")
    assert kept.provenance.focal_px == pytest.approx(519.615) and kept.unit == "m"
    assert run(tiny_sky.onnx, *formats, "--focal-px", "519.615", "--resume")[1] == ""
    assert run(tiny_sky.onnx, *formats, "--focal-px", "600", "--resume")[1] != ""
    code, _, err = run(any_view.onnx, "--fov", "60")
    assert code == 1 and "gives depth without a unit, whatever the camera; leave it out" in err
    assert run(tiny_sky.onnx, "--fov", "60", "--focal-px", "500")[0] == 1
