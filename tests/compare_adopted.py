"""Compares an adopted Depth Anything V2 Small with transformers' pipeline: python tests/compare_adopted.py [--seed 0].

transformers' network of full size, with seeded random weights, is exported as optimum does, adopted with the published
preprocessor_config.json, and run by depthrt. Prints the largest difference over the range for photographs, and how far
the rule of transformers' processor leads away from the official one.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config, pipeline
from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

sys.path.insert(0, str(Path(__file__).parent / "support"))

import made_foreign
from made_foreign import PATCH_PX

import depthrt
from depthrt.engine.modelfile.shipped import PHOTO
from depthrt.export.adopt.adopt import adopt
from depthrt.export.adopt.options import Options

ALLOWED = 1e-4  # of the range
PHOTOS_PX = ((480, 640), (1080, 1920), (400, 300))
# Source: huggingface.co/depth-anything/Depth-Anything-V2-Small-hf, config.json
CONFIG = DepthAnythingConfig(
    backbone_config=Dinov2Config(
        hidden_size=384,
        num_attention_heads=6,
        image_size=518,
        patch_size=PATCH_PX,
        out_indices=[3, 6, 9, 12],  # type: ignore[call-arg] # transformers' hint lacks it
        reshape_hidden_states=False,
    ),
    reassemble_hidden_size=384,
    neck_hidden_sizes=[48, 96, 192, 384],
    fusion_hidden_size=64,
    head_hidden_size=32,
    patch_size=PATCH_PX,
)


def main() -> int:
    """Compare; return 1 if a difference is above what is allowed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    network = _random_network()
    processor = DPTImageProcessorPil(
        size={"height": 518, "width": 518},
        keep_aspect_ratio=True,
        ensure_multiple_of=PATCH_PX,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    with TemporaryDirectory() as name:
        theirs, ours = Path(name) / "Depth-Anything-V2-Small-hf", Path(name) / "ours.onnx"
        (theirs / "onnx").mkdir(parents=True)
        processor.save_pretrained(theirs)
        network.config.save_pretrained(theirs)
        with patch.object(made_foreign, "trained", lambda kind: network):
            made_foreign.export_theirs(theirs / "onnx" / "model.onnx")
        # Random weights know no depth, so their direction fails the probes.
        adopt(theirs, ours, options=Options(), force=True, on_note=print)
        worst = max(_difference(network, processor, ours, image_px) for image_px in PHOTOS_PX)
    return int(worst > ALLOWED)


def _random_network() -> DepthAnythingForDepthEstimation:
    """Return a network whose answers depend on the image: transformers' small weights leave them alike."""
    network: DepthAnythingForDepthEstimation = DepthAnythingForDepthEstimation(CONFIG)
    network.train(False)
    with torch.no_grad():
        for weights in network.parameters():
            if weights.ndim > 1:
                weights.mul_(3)
        assert network.head.conv3.bias is not None
        network.head.conv3.bias.fill_(3)
    return network


def _difference(
    network: DepthAnythingForDepthEstimation, processor: DPTImageProcessorPil, ours: Path, image_px: tuple[int, int]
) -> float:
    """Return the largest difference over the range on a photograph of a size."""
    photograph = Image.open(PHOTO).convert("RGB").resize(image_px[::-1])  # (w, h) for Pillow
    theirs = pipeline("depth-estimation", model=network, image_processor=processor)(photograph)
    expected = theirs["predicted_depth"].detach().numpy()
    with depthrt.load(ours) as model:
        found = model.infer(np.asarray(photograph), color="rgb").values
    difference = float(np.abs(found - expected).max() / np.ptp(expected))
    print(f"{image_px[0]}x{image_px[1]}: {difference:.2g} of the range, at most {ALLOWED:g} expected")
    return difference


if __name__ == "__main__":
    sys.exit(main())
