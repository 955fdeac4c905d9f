"""A network of transformers, exported by somebody else and adopted, answers as transformers' own pipeline does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_foreign import PATCH_PX, export_theirs, trained
from PIL import Image
from transformers import pipeline
from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

import depthrt
from depthrt.engine.modelfile.shipped import PHOTO
from depthrt.export.adopt.adopt import adopt

TOLERANCE = 1e-4  # of the range; the resize to uint8 is bit for bit the same, float32 leaves 1e-5
SIDE_PX = 98


@pytest.fixture(scope="module")
def processor() -> DPTImageProcessorPil:
    return DPTImageProcessorPil(
        size={"height": SIDE_PX, "width": SIDE_PX},
        keep_aspect_ratio=True,
        ensure_multiple_of=PATCH_PX,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )


@pytest.fixture(scope="module")
def adopted(processor: DPTImageProcessorPil, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the hub has it, adopted."""
    folder = tmp_path_factory.mktemp("adopted")
    theirs = folder / "depth-anything-tiny"
    (theirs / "onnx").mkdir(parents=True)
    processor.save_pretrained(theirs)
    trained().config.save_pretrained(theirs)
    export_theirs(theirs / "onnx" / "model.onnx")
    adopt(theirs, folder / "ours.onnx")
    return folder / "ours.onnx"


@pytest.mark.parametrize("image_px", [(120, 160), (300, 200), (70, 110)])
def test_depth_is_that_of_transformers_pipeline(
    adopted: Path, processor: DPTImageProcessorPil, image_px: tuple[int, int]
) -> None:
    photograph = Image.open(PHOTO).convert("RGB").resize(image_px[::-1])
    theirs = pipeline("depth-estimation", model=trained(), image_processor=processor)(photograph)
    expected = theirs["predicted_depth"].detach().numpy()
    with depthrt.load(adopted) as model:
        depth = model.infer(np.asarray(photograph), color="rgb")
    assert depth.values.shape == expected.shape == image_px
    assert np.abs(depth.values - expected).max() <= TOLERANCE * np.ptp(expected)
    assert depth.kind == "inverse"
