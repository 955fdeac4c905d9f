from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made import make_contract
from made_engine import write_engine
from made_onnx import sealed_again
from official_images import (
    HALF,
    marigold_input,
    marigold_output,
    midas_input,
    midas_output,
    zoe_input,
    zoe_output,
)
from reference_depth_anything import reference_infer
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt import BackendUnavailable, InputError, Intrinsics, ModelFileError
from depthrt.engine.images.limits import Limits
from depthrt.engine.modelfile import contract
from depthrt.engine.modelfile.contract import FinalResize, InputResize
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.runners import canary_check, tuning
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.runner import Runner
from depthrt.engine.runners.tuning import Tuning, remember_choice
from depthrt.engine.system import machine, records
from depthrt.engine.terms import Kind, Precision
from depthrt.engine.trt import plan_file

OPENED = 2  # times that a load opens a model file, for its contract and its digest; pipes are not opened
TOLERANCE = 1e-4  # of the range: the bar for float32
BATCH_TOLERANCE = 1e-5  # a batch is summed in another order


def photo(name: str) -> np.ndarray:
    image = cv2.imread(str(PHOTOS / f"{name}.jpg"))
    assert image is not None
    return image


def distance(found: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference over the reference's range."""
    return float(np.abs(found - reference).max() / np.ptp(reference))


def test_depth_is_of_the_images_size_and_equals_the_reference(model: depthrt.DepthModel, tiny: TinyModel) -> None:
    image = photo("coffee")
    depth = model.infer(image)
    assert depth.values.shape == image.shape[:2] and depth.values.dtype == np.float32
    assert distance(depth.values, reference_infer(tiny.state, image, "depth-anything-v2", base_px=126)) <= TOLERANCE


def test_the_result_says_where_it_comes_from(model: depthrt.DepthModel) -> None:
    depth = model.infer(photo("coffee"))
    found = depth.provenance
    assert (depth.kind, depth.unit, depth.larger_is_nearer) == ("inverse", "", True)
    assert (found.model, found.runner, found.provider) == (
        "depth-anything-v2-vit64x4", "onnxruntime", "CPUExecutionProvider",
    )  # fmt: skip
    assert (found.precision, found.input_px, found.image_px) == ("fp32", (126, 196), (400, 600))
    assert min(found.timings.preprocess_ms, found.timings.run_ms, found.timings.postprocess_ms) > 0
    assert depth.valid.all()


def test_metric_depth_is_in_metres_and_within_its_range(tiny_metric: TinyModel) -> None:
    with depthrt.load(tiny_metric.onnx) as model:
        depth = model.infer(photo("coffee"))
    assert (depth.kind, depth.unit, depth.larger_is_nearer, depth.max_depth_m) == ("metric", "m", False, 20.0)
    assert depth.values.min() > 0 and depth.values.max() <= 20


@pytest.mark.parametrize("kind", ["affine", "scale"])
def test_depth_without_a_unit_keeps_its_kind_and_refuses_metres(kind: Kind, tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "unitless.onnx"
    path.write_bytes(tiny.onnx.read_bytes())
    sealed_again(path, replace(contract.read_contract(path), kind=kind))
    with depthrt.load(path, device="cpu") as model:
        depth = model.infer(photo("coffee"))
    assert (depth.kind, depth.unit, depth.larger_is_nearer, depth.max_depth_m) == (kind, "", False, None)
    assert np.array_equal(depth.valid, depth.values > 0 if kind == "scale" else np.isfinite(depth.values))
    with pytest.raises(InputError, match=f"gives {kind}-invariant depth, .* so it has no metres"):
        _ = depth.metres


def test_a_file_of_format_1_answers_bit_for_bit_as_the_same_file_of_format_2(tiny: TinyModel, tmp_path: Path) -> None:
    old = tmp_path / "old.onnx"
    old.write_bytes(tiny.onnx.read_bytes())
    sealed_again(old, replace(contract.read_contract(old), format=1))
    found = []
    for path, format in ((tiny.onnx, 2), (old, 1)):
        assert contract.read_contract(path).format == format
        with depthrt.load(path, device="cpu") as model:
            found.append(model.infer(photo("coffee")))
    assert np.array_equal(found[0].values, found[1].values)
    assert found[0].provenance.model == found[1].provenance.model


def test_the_camera_of_an_image_is_that_of_its_depth(tiny_metric: TinyModel, tmp_path: Path) -> None:
    image = photo("coffee")
    half = Intrinsics(500.0, 510.0, 100.5, 90.25, (image.shape[0] * 2, image.shape[1] * 2))
    with depthrt.load(tiny_metric.onnx) as model:
        depth, plain = model.infer(image, camera=half), model.infer(image)
        several = [*model.infer_batch([image], camera=half), *model.stream([image], camera=half)]
    assert depth.intrinsics == half.scaled(*depth.shape) and plain.intrinsics is None
    assert all(other.intrinsics == depth.intrinsics for other in several)
    assert np.array_equal(depth.values, plain.values) and depth.provenance.focal_px is None
    assert np.array_equal(depth.points(), plain.points(half))
    depth.save(tmp_path / "d.npz")
    assert depthrt.Depth.load(tmp_path / "d.npz").intrinsics == depth.intrinsics


def test_a_camera_makes_metres_as_its_focal_length_does(tiny_sky: TinyModel) -> None:
    image = photo("coffee")
    camera = Intrinsics.centred(700, *image.shape[:2])
    with depthrt.load(tiny_sky.onnx) as model:
        by_camera, by_focal = model.infer(image, camera=camera), model.infer(image, focal_px=700)
        assert (by_camera.kind, by_camera.provenance.focal_px) == ("metric", 700)
        assert np.array_equal(by_camera.values, by_focal.values) and by_focal.intrinsics is None
        with pytest.raises(InputError, match="a focal length and a camera were given"):
            model.infer(image, camera=camera, focal_px=700)
        with pytest.raises(InputError, match="whose aspect differs"):
            model.infer(image[:, :100], camera=camera)


def test_color_order_is_what_the_caller_says(model: depthrt.DepthModel) -> None:
    image = photo("coffee")
    bgr = model.infer(image).values
    assert np.array_equal(bgr, model.infer(np.ascontiguousarray(image[:, :, ::-1]), color="rgb").values)
    assert not np.array_equal(bgr, model.infer(image, color="rgb").values)


def test_a_batch_gives_what_single_images_give_in_order(model: depthrt.DepthModel) -> None:
    images = [photo("coffee"), photo("astronaut"), photo("coffee")[:, ::-1], photo("rocket"), photo("astronaut")[::-1]]
    together = model.infer_batch(images)
    for depth, image in zip(together, images, strict=True):
        assert distance(depth.values, model.infer(image).values) <= BATCH_TOLERANCE
    assert model.infer_batch([]) == []


def test_a_static_model_takes_batches_one_by_one(tiny_static: TinyModel) -> None:
    with depthrt.load(tiny_static.onnx) as model:
        together = model.infer_batch([photo("coffee"), photo("astronaut")])
        assert np.array_equal(together[1].values, model.infer(photo("astronaut")).values)


def test_a_stream_gives_what_single_images_give_in_order(model: depthrt.DepthModel) -> None:
    images = [photo(name) for name in ("coffee", "astronaut", "rocket", "chelsea")]
    for depth, image in zip(model.stream(images), images, strict=True):
        assert np.array_equal(depth.values, model.infer(image).values)


def test_a_camera_may_write_every_frame_into_one_buffer(model: depthrt.DepthModel) -> None:
    frames = [np.roll(photo("coffee"), 40 * number, axis=1) for number in range(6)]
    buffer, taken = np.empty_like(frames[0]), 0

    def camera() -> Iterator[np.ndarray]:
        nonlocal taken
        for frame in frames:
            np.copyto(buffer, frame)
            taken += 1
            yield buffer
        buffer[:] = 0

    for number, (depth, frame) in enumerate(zip(model.stream(camera()), frames, strict=True)):
        assert taken <= number + 2  # a depth comes one frame after its own at the latest
        assert np.array_equal(depth.values, model.infer(frame).values)


def test_a_bad_image_in_a_stream_is_an_error_after_the_depth_of_those_before(model: depthrt.DepthModel) -> None:
    seen: list[depthrt.Depth] = []
    with pytest.raises(InputError, match="float64"):
        seen.extend(model.stream([photo("coffee"), np.zeros((4, 4, 3))]))  # type: ignore[list-item]
    assert len(seen) == 1


def test_several_threads_get_the_same_answers(model: depthrt.DepthModel) -> None:
    images = [photo(name) for name in ("coffee", "astronaut", "rocket", "chelsea")] * 4
    expected = [model.infer(image).values for image in images]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda image: model.infer(image).values, images))
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), "float32"),
        (np.zeros((4, 4), np.uint8), r"\(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"\(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)"),
        ("photo.jpg", "str"),
        (np.zeros((10, 10000, 3), np.uint8), "aspect"),
    ],
)
def test_a_bad_image_is_refused_in_one_line(model: depthrt.DepthModel, image: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        model.infer(image)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_an_unknown_color_order_is_refused(model: depthrt.DepthModel) -> None:
    with pytest.raises(InputError, match="color 'gbr' found, expected 'bgr' or 'rgb'"):
        model.infer(photo("coffee"), color="gbr")  # type: ignore[arg-type]


def test_limits_can_be_raised(tiny: TinyModel) -> None:
    with depthrt.load(tiny.onnx, limits=depthrt.Limits(max_aspect=20)) as model:
        assert model.infer(np.zeros((20, 300, 3), np.uint8)).values.shape == (20, 300)


def test_a_closed_model_says_so(tiny: TinyModel) -> None:
    with depthrt.load(tiny.onnx) as model:
        pass
    with pytest.raises(InputError, match="closed"):
        model.infer(photo("coffee"))


def test_the_runner_keeps_the_protocol(model: depthrt.DepthModel) -> None:
    assert isinstance(model.runner, Runner)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.onnx", "does not exist"),
        ("model.pth", "is a checkpoint; make a model file of it first: depthrt export"),
        ("folder", "is a folder, expected an .onnx or .engine file; give the file in it"),
        ("hugging-face", "is a checkpoint"),
        ("model.engine", "is not an engine file of depthrt; make one with: depthrt build"),
    ],
)
def test_what_is_no_model_file_is_refused_with_the_way_out(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "hugging-face").mkdir()
    (tmp_path / "hugging-face" / "config.json").write_text("{}")
    (tmp_path / "model.pth").write_bytes(b"x")
    (tmp_path / "model.engine").write_bytes(b"x")
    with pytest.raises(ModelFileError, match=message):
        depthrt.load(tmp_path / name)


def test_options_that_do_not_fit_are_refused(tiny: TinyModel) -> None:
    with pytest.raises(InputError, match="is fp32, precision fp16 was asked for"):
        depthrt.load(tiny.onnx, precision="fp16")
    with pytest.raises(InputError, match="device 'tpu' found, expected one of auto, cpu, cuda"):
        depthrt.load(tiny.onnx, device="tpu")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="threads 0 found"):
        depthrt.load(tiny.onnx, threads=0)


def test_cuda_by_name_without_cuda_names_what_to_install(tiny: TinyModel) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has a CUDA provider")
    with pytest.raises(depthrt.BackendUnavailable, match=r"pip install 'depthrt\[gpu\]'"):
        depthrt.load(tiny.onnx, device="cuda")


def test_a_damaged_graph_is_refused_in_one_line(tiny: TinyModel, tmp_path: Path) -> None:
    data = bytearray(tiny.onnx.read_bytes())
    at = data.index(b"LayerNormalization")
    data[at : at + 5] = b"Wrong"
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(data)
    with pytest.raises(ModelFileError, match="was changed since it was exported, or is damaged: crc32"):
        depthrt.load(broken)
    with pytest.raises(ModelFileError, match="ONNX Runtime refuses") as caught:
        depthrt.load(sealed_again(broken))
    assert "\n" not in str(caught.value)


def test_an_fp16_file_on_a_cpu_is_said_once_and_recorded(
    caplog: pytest.LogCaptureFixture, tiny_static: TinyModel, tiny_half: TinyModel
) -> None:
    with caplog.at_level(logging.WARNING, logger="depthrt"), depthrt.load(tiny_half.onnx) as model:
        depths = [model.infer(photo("coffee")) for _ in range(2)]
    (said,) = [record.getMessage() for record in caplog.records if record.name == "depthrt"]
    assert "computes this fp16 file in float32" in said
    assert all("fp16" in depth.provenance.notes[0] for depth in depths)
    with depthrt.load(tiny_static.onnx) as model:
        reference = model.infer(photo("coffee")).values
    assert np.abs(depths[0].values - reference).mean() / np.ptp(reference) <= 5e-3


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what a load reads: contracts, the state of each file, and what the CPU is."""
    found: Counter[str] = Counter()

    def count(name: str, of: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            found[name.format(*arguments)] += 1
            return of(*arguments, **options)

        return counted

    monkeypatch.setattr(records, "read_record", count("{0.__name__}", records.read_record))
    for module in (contract, plan_file, tuning, canary_check):
        monkeypatch.setattr(module, "read_record", records.read_record)
    monkeypatch.setattr(os, "stat", count("stat {0}", os.stat))
    monkeypatch.setattr(machine, "read_fields", count("cpu", machine.read_fields))
    monkeypatch.setattr(machine, "runtime_versions", count("versions", machine.runtime_versions))
    return found


@pytest.mark.parametrize("tuned", [False, True])
def test_one_load_reads_the_contract_the_file_and_the_cpu_once(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: Counter[str], tuned: bool
) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path))
    choice = Choice("onnxruntime", "fp32", 1)
    if tuned:
        remember_choice(open_model_file(tiny.onnx), 1, Tuning(choice, 2.0, 0.0, 0.005, "2026-11-21", ()))
    for verdicts in (0, 1):  # the first load asks for the canary, the second finds its verdict
        reads.clear()
        with depthrt.load(tiny.onnx, threads=1, device="cpu"):
            pass
        once = {name: reads[name] for name in ("Contract", "cpu", "versions")}
        assert once == dict.fromkeys(once, 1)
        assert reads[f"stat {tiny.onnx}"] == 1 + OPENED
        assert (reads["Tuning"], reads["Verdict"]) == (int(tuned), verdicts)


def test_one_load_of_an_engine_reads_its_header_once(tmp_path: Path, reads: Counter[str]) -> None:
    path = write_engine(tmp_path / "model.engine")
    reads.clear()
    with pytest.raises(BackendUnavailable, match="runs on NVIDIA GPUs only"):
        depthrt.load(path)
    once = {name: reads[name] for name in ("PlanHeader", "cpu")}
    assert once == dict.fromkeys(once, 1)
    assert reads[f"stat {path}"] == 1 + 1  # its state, and before it is opened


@pytest.mark.parametrize(
    "answer",
    [
        lambda output: output[:, :-1],
        lambda output: output.transpose(0, 2, 1),
        lambda output: output[:, None],
        lambda output: output[0],
        lambda output: np.concatenate([output, output]),
    ],
    ids=["a row is missing", "turned", "a channel", "no batch", "two answers"],
)
def test_an_answer_of_another_shape_is_refused(answer: Callable[[np.ndarray], np.ndarray], tiny: TinyModel) -> None:
    with depthrt.load(tiny.onnx) as model:
        run = model.runner.run
        model.runner.run = lambda batch: answer(run(batch))  # type: ignore[method-assign]
        with pytest.raises(depthrt.ModelFileError, match=r"the model answered .* for an input of .*; export it again"):
            model.infer(np.zeros((126, 196, 3), np.uint8))


class Echo:
    """A runner that answers the red plane of its input."""

    name = "echo"
    provider = "cpu"
    precision: Precision = "fp32"
    notes: tuple[str, ...] = ()

    def run(self, batch: np.ndarray) -> np.ndarray:
        return batch[:, 0]

    def close(self) -> None:
        """Free nothing."""


def echo_model(size: SizeRule, input_resize: InputResize, final_resize: FinalResize) -> depthrt.DepthModel:
    half = (0.5, 0.5, 0.5)
    whole = replace(make_contract(size=size), mean=half, std=half, input_resize=input_resize, final_resize=final_resize)
    return depthrt.DepthModel(Echo(), whole, limits=Limits())


@pytest.mark.parametrize("turned", [False, True])
def test_images_go_the_ways_of_the_families_there_and_back(turned: bool) -> None:
    image = np.ascontiguousarray(photo("coffee").transpose(1, 0, 2)) if turned else photo("coffee")
    rgb, image_px = image[:, :, ::-1], (image.shape[0], image.shape[1])
    zoedepth = echo_model(SizeRule((384, 512), 32, "minimal", margin="zoe"), "bilinear_corners", "bicubic")
    marigold = echo_model(
        SizeRule((768, 768), 8, "longest_floor", pad="edge_end"), "bilinear_antialias", "bilinear_centres"
    )
    swin = echo_model(SizeRule((256, 256), 32, "square"), "cubic", "bicubic")
    for model, expected in (
        (zoedepth, zoe_output(zoe_input(rgb, (384, 512))[0], image_px)),
        (marigold, marigold_output(marigold_input(rgb, 768)[0], 768, image_px)),
        (swin, midas_output(midas_input(rgb, (256, 256), HALF)[0], image_px)),
    ):
        assert distance(model.infer(image).values, expected) <= TOLERANCE
        batched = model.infer_batch([image, image[:200], image])
        assert [depth.values.shape for depth in batched] == [image_px, (200, image_px[1]), image_px]
        assert distance(batched[2].values, expected) <= TOLERANCE


def test_an_image_too_narrow_for_the_size_rule_is_one_line_and_the_stream_ends_before_it() -> None:
    limits = Limits(max_aspect=100)
    model = depthrt.DepthModel(Echo(), make_contract(size=SizeRule((256, 256), 32, "upper_bound")), limits=limits)
    narrow = np.zeros((10, 400, 3), np.uint8)
    with pytest.raises(InputError, match=r"the image is 10x400 px .* makes it 0x256 px; crop the image"):
        model.infer(narrow)
    stream = model.stream([photo("coffee"), narrow])
    next(stream)
    with pytest.raises(InputError, match="10x400"):
        next(stream)
