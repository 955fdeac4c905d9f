"""An image in, the network's input out, and the network's output back at the image's size, exactly as upstream does.

Each family's way is in its contract: the size rule, a margin around the image, the resize to the input and that of the
output. Every resize runs in bands of rows, in OpenCV or in Pillow, so that a photograph of 100 megapixels needs 4 to
120 MiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..modelfile.contract import Contract
from .fit import Fit, fit_image, scaled_into
from .resize.antialias import antialias_bands
from .resize.area import area_bands
from .resize.bilinear import corner_bands, resize_bilinear
from .resize.border import pad_input, with_margin
from .resize.cubic import cubic_bands, resize_bicubic
from .resize.pillow import pillow_bands
from .resize.taps import Float32

__all__ = ["Color", "Fit", "Float32", "content_of", "fit_image", "make_batch", "to_image_size", "to_input"]

Color = Literal["bgr", "rgb"]


def to_input(image: NDArray[np.uint8], contract: Contract, fit: Fit, *, color: Color, out: Float32) -> None:
    """Write a network input: resized, normalised RGB planes, padded if the fit asks for it.

    Upstreams divide by 255, subtract the mean and divide by std in float64 or float32; here it is one multiplication
    and one addition, which leaves at most 3e-7 of the largest value.

    Args:
        image: (H, W, 3) uint8, [0, 255], channels in the order `color` names.
        out: (3, h, w) float32 of fit.input_px; every value is written.
    """
    target = np.empty((3, *fit.content_px), np.float32) if fit.padded else out
    channels = (2, 1, 0) if color == "bgr" else (0, 1, 2)
    scale = [1.0 / (255.0 * std) for std in contract.std]
    bias = [-mean / std for mean, std in zip(contract.mean, contract.std, strict=True)]
    first = 0
    for band in _bands(image, contract, fit):  # (rows, w, 3)
        last = first + len(band)
        for plane, channel in enumerate(channels):
            target[plane, first:last] = band[:, :, channel] * scale[plane] + bias[plane]
        first = last
    if fit.padded:
        pad_input(target, fit.offset_px, out, pad=contract.size.pad)


def make_batch(image: NDArray[np.uint8], contract: Contract, fit: Fit, color: Color) -> Float32:
    """Return an image as the network's input (1, 3, h, w)."""
    batch = np.empty((1, 3, *fit.input_px), np.float32)
    to_input(image, contract, fit, color=color, out=batch[0])
    return batch


def content_of(values: NDArray[Any], fit: Fit) -> NDArray[Any]:
    """Return the part of the network's output (h, w) that is not padding; it shares memory."""
    top, left = fit.offset_px
    return values[top : top + fit.content_px[0], left : left + fit.content_px[1]]


def to_image_size(values: Float32, contract: Contract, fit: Fit, image_px: tuple[int, int]) -> Float32:
    """Return the network's output (h, w) at the image's size (H, W), without padding and margin."""
    content: Float32 = content_of(values, fit)
    if contract.final_resize == "bicubic":
        return resize_bicubic(content, image_px, fit.margin_px)
    return resize_bilinear(content, image_px, fit.margin_px, mode=contract.final_resize)


def _bands(image: NDArray[np.uint8], contract: Contract, fit: Fit) -> Iterator[NDArray[Any]]:
    """Yield the image resized to the fit's content, from the first row to the last, [0, 255] and a bit beyond."""
    if contract.input_resize == "bilinear_corners":
        return corner_bands(image, fit.content_px, fit.margin_px)
    framed = with_margin(image, fit.margin_px)
    if contract.input_resize == "bilinear_antialias":
        return antialias_bands(framed, fit.content_px)
    if contract.input_resize == "area_uint8":
        first_px = scaled_into(contract.size.base_px, fit.framed_px(image.shape[:2]))
        return area_bands(framed, first_px, fit.content_px)
    if contract.input_resize in ("cubic_uint8", "bilinear_uint8", "lanczos_uint8"):
        return pillow_bands(framed, fit.content_px, contract.input_resize)
    return cubic_bands(framed, fit.content_px)
