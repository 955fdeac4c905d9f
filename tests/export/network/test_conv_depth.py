"""The convolutional network: its norms fold away, its file says what it is, and it exports like the others."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.engine.model.depth_model import load
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint, save_checkpoint
from depthrt.export.network.architecture import ConvArchitecture
from depthrt.export.network.conv_depth import ConvDepth, fold_norms
from depthrt.export.to_onnx import export_onnx

TINY_CONVOLUTIONS = ConvArchitecture(widths=(8, 16, 24, 32), depths=(1, 1, 2, 1), features=8)
EXACT = 1e-5  # float32 sums, folded in another order


@pytest.fixture(scope="module")
def trained() -> ConvDepth:
    """Return a network whose norms have seen pictures and whose gains are not all one."""
    torch.manual_seed(0)
    network = ConvDepth(TINY_CONVOLUTIONS, norms=True)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn(parameter.shape))
        network.depth_head.scratch.output_conv2[2].get_parameter("bias").fill_(1.0)
        for _ in range(3):
            network(torch.randn(4, 3, 64, 96))
    return network.eval()


@pytest.fixture(scope="module")
def saved(trained: ConvDepth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conv") / "tiny.safetensors"
    save_checkpoint(path, fold_norms(trained).half(), family="depthrt", kind="inverse", max_depth_m=None)
    return path


def test_folded_norms_change_no_answer(trained: ConvDepth) -> None:
    folded = fold_norms(trained)
    batch = torch.randn((2, 3, 64, 96), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(folded.values(batch), trained.values(batch), atol=EXACT)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in trained.modules())
    assert folded.state_dict().keys() == ConvDepth(TINY_CONVOLUTIONS).state_dict().keys()


def test_its_checkpoint_reads_back_by_its_tensors_alone(trained: ConvDepth, saved: Path, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(saved)
    assert checkpoint.architecture == TINY_CONVOLUTIONS
    assert (checkpoint.family, checkpoint.kind, checkpoint.architecture.encoder) == ("depthrt", "inverse", "conv32x5")
    bare = tmp_path / "bare.pth"
    torch.save(load_network(checkpoint).state_dict(), bare)
    again = read_checkpoint(bare)
    assert (again.family, again.kind) == ("depthrt", "inverse")
    assert "The family is depthrt, after its tensors." in again.remarks
    batch = torch.randn((1, 3, 32, 64), generator=torch.Generator().manual_seed(2))
    assert torch.equal(load_network(checkpoint)(batch), load_network(again)(batch))
    assert describe_checkpoint(bare).family == "depthrt"


def test_a_block_that_is_missing_is_named(saved: Path, tmp_path: Path) -> None:
    tensors = {name: value for name, value in read_checkpoint(saved).tensors.items() if ".stages.2.0.conv2" not in name}
    torch.save(tensors, tmp_path / "part.pth")
    with pytest.raises(ModelFileError, match=r"lacks 2 of \d+ tensors: pretrained\.stages\.2\.0\.conv2\.weight"):
        read_checkpoint(tmp_path / "part.pth")


def test_it_is_no_depth_anything(saved: Path) -> None:
    with pytest.raises(InputError, match="--family depth-anything-v2 found, its tensors are those of depthrt"):
        read_checkpoint(saved, family="depth-anything-v2")


def test_sides_that_are_no_multiples_of_its_cell_are_refused(trained: ConvDepth) -> None:
    with pytest.raises(InputError, match="input of 48x64 px found, both sides must be multiples of 32"):
        trained(torch.zeros(1, 3, 48, 64))


def test_a_mirrored_image_gets_the_mirrored_answer(trained: ConvDepth) -> None:
    batch = torch.randn((2, 3, 64, 96), generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        alone, mirrored = trained.values(batch), trained.values(batch.flip(-1)).flip(-1)
        assert (alone - mirrored).abs().max() > 0.01, "the network itself is not symmetric"
        assert torch.allclose(trained(batch), torch.relu((alone + mirrored) / 2), atol=EXACT)
        assert torch.allclose(trained(batch.flip(-1)), trained(batch).flip(-1), atol=EXACT)


@pytest.mark.parametrize("size", [64, (64, 96)])
def test_its_export_answers_like_it(saved: Path, tmp_path: Path, size: int | tuple[int, int]) -> None:
    path = tmp_path / "tiny.onnx"
    exported = export_onnx(read_checkpoint(saved), path, size=size, half_storage=True)
    assert max(parity.drift for parity in exported.parity) < EXACT
    with load(path, device="cpu") as model:
        assert (model.contract.model, model.contract.size.multiple_px) == ("depthrt-conv32x5", 32)


def test_without_its_mirror_image_it_answers_for_the_image_only(saved: Path, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(saved)
    network, batch = load_network(checkpoint, mirror=False), torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(network(batch), torch.relu(load_network(checkpoint).values(batch)))
    exported = export_onnx(checkpoint, tmp_path / "half.onnx", size=(64, 96), mirror=False)
    assert not exported.contract.mirrored and max(parity.drift for parity in exported.parity) < EXACT
