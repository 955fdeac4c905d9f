from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from random_checkpoint import TINY, random_network, save_official
from tiny_model import PHOTOS, TinyModel, export_tiny

import depthrt
from depthrt import InputError, ModelFileError, ParityError
from depthrt.cli import main
from depthrt.engine.modelfile.canary import canary_drift, canary_input
from depthrt.engine.modelfile.contract import SizeRule, read_contract
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.terms import OnStep
from depthrt.export import to_onnx
from depthrt.export.checkpoint.checkpoint import Checkpoint, read_checkpoint
from depthrt.export.make_contract import size_rule
from depthrt.export.parity import parity
from depthrt.export.to_onnx import export_onnx


def ops(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def dimensions(value: onnx.ValueInfoProto) -> list[str | int]:
    return [one.dim_param or one.dim_value for one in value.type.tensor_type.shape.dim]


def read(tiny: TinyModel) -> Checkpoint:
    return read_checkpoint(tiny.checkpoint, family="depth-anything-v2", kind="inverse")


def stop_at(word: str) -> OnStep:
    """Return an on_step that raises KeyboardInterrupt at the step with a word in its title."""

    def interrupt(title: str, done: int, wanted: int) -> None:
        if word in title:
            raise KeyboardInterrupt

    return interrupt


def test_the_graph_is_clean(tiny: TinyModel) -> None:
    found = ops(tiny.onnx)
    assert found["MultiHeadAttention"] == found["Gelu"] == TINY.depth
    assert found["LayerNormalization"] == 2 * TINY.depth + 4
    assert not {"IsNaN", "Softmax", "Erf", "Attention", "If", "Loop"} & set(found)
    onnx.checker.check_model(onnx.load(tiny.onnx))


def test_a_dynamic_file_declares_its_sizes_open_and_keeps_them_open(tiny: TinyModel) -> None:
    graph = onnx.load(tiny.onnx).graph
    assert dimensions(graph.input[0]) == ["batch", 3, "height", "width"]
    assert dimensions(graph.output[0]) == ["batch", "height", "width"]
    runner = open_runner(tiny.onnx, read_contract(tiny.onnx), device="cpu", threads=None)
    for shape in ((1, 3, 126, 196), (3, 3, 196, 126), (2, 3, 14, 28)):
        assert runner.run(np.zeros(shape, np.float32)).shape == (shape[0], *shape[2:])


def test_a_static_file_declares_its_size_and_computes_no_positions(tiny_static: TinyModel) -> None:
    graph = onnx.load(tiny_static.onnx).graph
    assert dimensions(graph.input[0]) == [1, 3, 126, 196]
    assert dimensions(graph.output[0]) == [1, 126, 196]
    assert not {"Range", "Where", "Shape"} & set(ops(tiny_static.onnx))
    assert read_contract(tiny_static.onnx).size == SizeRule((126, 196), 14, "letterbox")


def test_the_file_tells_nothing_of_the_machine_that_wrote_it(tiny: TinyModel) -> None:
    content = tiny.onnx.read_bytes()
    assert b"site-packages" not in content and str(Path(depthrt.__file__).parent).encode() not in content
    assert b".py" not in content


def test_plain_attention_uses_no_operator_of_a_vendor(tmp_path: Path) -> None:
    plain = export_tiny(tmp_path, size=126, attention="plain", precision="fp16")  # as TensorRT takes it
    model = onnx.load(plain.onnx)
    assert {node.domain for node in model.graph.node} == {""}
    assert ops(plain.onnx)["Softmax"] == TINY.depth
    assert read_contract(plain.onnx).attention == "plain"


def test_the_contract_says_what_was_exported(tiny_metric: TinyModel) -> None:
    contract = read_contract(tiny_metric.onnx)
    assert (contract.kind, contract.max_depth_m, contract.final_resize) == ("metric", 20.0, "bilinear_corners")
    assert contract.source_name == "tiny.pth" and len(contract.source_sha256) == 64
    assert contract.producer == f"depthrt {depthrt.__version__}"


def test_the_canary_catches_a_scale_off_by_two_percent(tiny: TinyModel) -> None:
    contract = read_contract(tiny.onnx)
    runner = open_runner(tiny.onnx, contract, device="cpu", threads=None)
    answer = runner.run(canary_input(contract.canary.size_px, contract.mean, contract.std))[0]
    assert canary_drift(contract.canary, answer) <= contract.canary.tolerance
    assert canary_drift(contract.canary, answer * np.float32(1.02)) > 100 * contract.canary.tolerance


def test_a_file_that_departs_from_torch_is_not_left(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parity.TOLERANCE, "fp32", 0.0)
    with pytest.raises(ParityError, match=r"drift .* at most 0 is allowed in fp32; no file is left"):
        export_onnx(read(tiny), tmp_path / "model.onnx", size=(28, 42))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_the_file_that_was_there(tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"what was there")

    with pytest.raises(KeyboardInterrupt):
        export_onnx(read(tiny), path, size=(28, 42), on_step=stop_at("photograph"))
    assert path.read_bytes() == b"what was there" and list(tmp_path.iterdir()) == [path]


def test_weights_too_large_for_one_file_go_beside_it(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "PROTOBUF_LIMIT_BYTES", 1000)
    exported = export_onnx(read(tiny), tmp_path / "model.onnx", size=(126, 196))
    weights = [path for path in tmp_path.iterdir() if path.suffix == ".data"]
    assert weights == [exported.weights] and weights[0].stat().st_size > 100_000 > exported.path.stat().st_size
    image = depthrt.read_image(PHOTOS / "coffee.jpg")
    with depthrt.load(exported.path) as model:
        assert np.isfinite(model.infer(image).values).all()


def test_a_failed_export_leaves_the_large_weights_of_the_file_that_was_there(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "PROTOBUF_LIMIT_BYTES", 1000)
    exported = export_onnx(read(tiny), tmp_path / "model.onnx", size=(28, 42))
    assert exported.weights is not None
    before = {path: path.read_bytes() for path in (exported.path, exported.weights)}
    # Half storage makes other weights of the same contract.
    with pytest.raises(KeyboardInterrupt):
        export_onnx(read(tiny), exported.path, size=(28, 42), half_storage=True, on_step=stop_at("photograph"))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_large_weights_go_with_the_last_file_that_names_them(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "PROTOBUF_LIMIT_BYTES", 1000)
    path, copied = tmp_path / "model.onnx", tmp_path / "copied.onnx"
    first = export_onnx(read(tiny), path, size=(28, 42)).weights
    shutil.copy(path, copied)
    second = export_onnx(read(tiny), path, size=(28, 42)).weights
    assert first is not None and second is not None
    assert set(tmp_path.iterdir()) == {path, copied, first, second}
    copied.unlink()
    shutil.copy(first, tmp_path / "of-somebody.data")
    monkeypatch.undo()
    whole = export_onnx(read(tiny), path, size=(28, 42))
    assert whole.weights is None and set(tmp_path.iterdir()) == {path, first, tmp_path / "of-somebody.data"}


def test_the_verb_names_the_weights_that_must_travel_along(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_onnx, "PROTOBUF_LIMIT_BYTES", 1000)
    what = ["--family", "depth-anything-v2", "--kind", "inverse", "--size", "28x42"]
    found = CliRunner().invoke(main, ["export", str(tiny.checkpoint), "-o", str(tmp_path / "model.onnx"), *what])
    (weights,) = tmp_path.glob("*.data")
    assert found.exit_code == 0 and f"note: its weights are in {weights}, which has to stay" in found.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model", r"model found as the file to write, expected a name that ends in \.onnx"),
        ("tiny.pth", r"tiny\.pth found as the file to write"),
        ("link.onnx", r"link\.onnx is .*tiny\.pth, which the file is made from"),
        ("nowhere/model.onnx", r"the folder .*nowhere does not exist"),
        ("/proc/model.onnx", r"/proc/model\.onnx cannot be written: "),  # a folder that takes no file
    ],
)
def test_a_place_where_no_file_can_come_is_refused_before_the_work(
    tiny: TinyModel, tmp_path: Path, name: str, message: str
) -> None:
    if name.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("this system has no /proc")
    checkpoint = Path(shutil.copy(tiny.checkpoint, tmp_path / "tiny.pth"))
    (tmp_path / "link.onnx").symlink_to(checkpoint)
    found = read_checkpoint(checkpoint, family="depth-anything-v2", kind="inverse")
    steps: list[str] = []
    with pytest.raises(InputError, match=message):
        export_onnx(found, tmp_path / name, size=(28, 42), on_step=lambda title, done, wanted: steps.append(title))
    assert steps == [] and checkpoint.read_bytes() == tiny.checkpoint.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.onnx", "tiny.pth"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("bias", -1000.0, "0 everywhere"), ("weight", 3e38, "numbers that are not finite")],
)
def test_a_network_that_collapsed_is_refused(tmp_path: Path, name: str, value: float, found: str) -> None:
    network = random_network(TINY)
    torch.nn.init.constant_(network.depth_head.scratch.get_parameter(f"output_conv2.2.{name}"), value)
    path = save_official(network, tmp_path / "dead.pth")
    checkpoint = read_checkpoint(path, family="depth-anything-v2", kind="inverse")
    with pytest.raises(ModelFileError, match=rf"dead\.pth answers {found} on the canary; .*take an earlier file"):
        export_onnx(checkpoint, tmp_path / "model.onnx", size=(28, 42))
    assert list(tmp_path.iterdir()) == [path]


def test_half_storage_halves_the_file_and_changes_no_bit(tiny: TinyModel, tmp_path: Path) -> None:
    rounded = {name: tensor.half() for name, tensor in tiny.state.items()}
    torch.save(rounded, tmp_path / "rounded.pth")
    checkpoint = read_checkpoint(tmp_path / "rounded.pth", family="depth-anything-v2", kind="inverse")
    image = depthrt.read_image(PHOTOS / "coffee.jpg")
    values, sizes = [], []
    for half_storage in (False, True):
        exported = export_onnx(checkpoint, tmp_path / "model.onnx", size=(126, 196), half_storage=half_storage)
        with depthrt.load(exported.path) as model:
            values.append(model.infer(image).values)
        sizes.append(exported.file_mib)
    assert np.array_equal(values[0], values[1])
    assert sizes[1] < 0.7 * sizes[0]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (500, "size 500 found, expected multiples of the network's 14 px patch; try 504"),
        (7, "try 14"),
        (0, "try 14"),
        ((500, 518), "size 500x518 found.*try 504x518"),
    ],
)
def test_a_size_off_the_patches_is_refused_with_the_nearest(size: int | tuple[int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        size_rule(size, 14)
