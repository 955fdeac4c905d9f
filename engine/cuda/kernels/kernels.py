"""Launches of the kernels in kernels.cu: grid, block and arguments, for a GPU or for the tests' copy on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...images.fit import Fit
from ...images.preprocess import Color
from ...modelfile.contract import Contract, FinalResize

SOURCE = Path(__file__).with_name("kernels.cu")
FATBIN = Path(__file__).with_name("kernels.fatbin")
SHA256 = Path(__file__).with_name("kernels.sha256")

# Argument types of each kernel, in the notation of the struct module; P is an address.
ARGUMENTS = {
    "cubic_taps": "Piiii",
    "corner_taps": "Piiiii",
    "bilinear_taps": "Piiii",
    "depth_cubic_taps": "Piii",
    "image_to_batch": "PqiiPPPiii6f",
    "image_to_batch_bilinear": "PqiiPPPiii6f",
    "depth_to_image": "PiPPPii",
    "depth_to_image_cubic": "PiiiPPPii",
}
TAP_BYTES = 8  # sizeof(Tap) in kernels.cu
_FLOAT_BYTES = 4

_ROW_BLOCK = (128, 1, 1)
# A warp (32 threads) covers 32 values of one row, so it writes 128 contiguous bytes.
_PLANE_BLOCK = (32, 8, 1)

Axis = Literal[0, 1]  # 0 is rows, 1 is columns
Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch of a kernel.

    Args:
        kernel: Name of the kernel, a key of ARGUMENTS.
        grid: Blocks, (x, y, z).
        block: Threads in a block, (x, y, z).
        arguments: Numbers and addresses, in the order of ARGUMENTS[kernel].
    """

    kernel: str
    grid: Triple
    block: Triple
    arguments: tuple[float, ...]


def cubic_taps(taps: int, fit: Fit, axis: Axis, image_px: tuple[int, int]) -> Launch:
    """Fill image_to_batch's table of one axis: the position in the image of each row or column of the input.

    Args:
        taps: Address of the table, fit.input_px[axis] * TAP_BYTES bytes.
    """
    side = fit.input_px[axis]
    return _line("cubic_taps", side, (taps, side, fit.content_px[axis], fit.offset_px[axis], image_px[axis]))


def corner_taps(taps: int, fit: Fit, axis: Axis, image_px: tuple[int, int]) -> Launch:
    """Fill image_to_batch's table of one axis for a bilinear resize, which also reads the margin around the image.

    Args:
        taps: Address of the table, fit.input_px[axis] * TAP_BYTES bytes.
    """
    side = fit.input_px[axis]
    sides = (side, fit.content_px[axis], fit.offset_px[axis], image_px[axis], fit.margin_px[axis])
    return _line("corner_taps", side, (taps, *sides))


def bilinear_taps(taps: int, fit: Fit, axis: Axis, image_px: tuple[int, int], *, mode: FinalResize) -> Launch:
    """Fill depth_to_image's table of one axis: the position in the output of each row or column of the image.

    Args:
        taps: Address of the table, image_px[axis] * TAP_BYTES bytes.
    """
    side = image_px[axis]
    corners = int(mode == "bilinear_corners")
    return _line("bilinear_taps", side, (taps, side, fit.content_px[axis], fit.offset_px[axis], corners))


def depth_cubic_taps(taps: int, fit: Fit, axis: Axis, image_px: tuple[int, int]) -> Launch:
    """Fill depth_to_image_cubic's table of one axis: the position in the output of each row or column of the image.

    Args:
        taps: Address of the table, image_px[axis] * TAP_BYTES bytes.
    """
    side = image_px[axis]
    return _line("depth_cubic_taps", side, (taps, side, fit.margin_px[axis], fit.content_px[axis]))


def image_to_batch(
    *,
    image: int,
    row_bytes: int,
    image_px: tuple[int, int],
    taps: tuple[int, int],
    batch: int,
    input_px: tuple[int, int],
    contract: Contract,
    color: Color,
) -> Launch:
    """Write the network's input for an image: resized, normalised RGB planes.

    Args:
        image: Address of (H, W, 3) uint8, channels in the order `color` names, rows row_bytes apart.
        taps: Addresses of both tables, (rows, columns): of cubic_taps, or for `bilinear_corners` of corner_taps.
        batch: Address of the output, (3, h, w) float32.
        contract: Its mean, std and input_resize are used.
    """
    order = -1 if color == "bgr" else 1
    normalise = [1.0 / (255.0 * std) for std in contract.std][::order]
    normalise += [-mean / std for mean, std in zip(contract.mean, contract.std, strict=True)][::order]
    return _plane(
        "image_to_batch" if contract.input_resize == "cubic" else "image_to_batch_bilinear",
        input_px,
        (image, row_bytes, *image_px, *taps, batch, *input_px, int(color == "bgr"), *normalise),
    )


def depth_to_image(
    *, depth: int, depth_width: int, taps: tuple[int, int], values: int, image_px: tuple[int, int]
) -> Launch:
    """Resize the network's output to the image's size, bilinear, and cut its padding off.

    Args:
        depth: Address of the network's output, (h, depth_width) float32.
        taps: Addresses of both tables of bilinear_taps, (rows, columns).
        values: Address of the output, (H, W) float32.
    """
    return _plane("depth_to_image", image_px, (depth, depth_width, *taps, values, *image_px))


def depth_to_image_cubic(
    *, depth: int, fit: Fit, taps: tuple[int, int], values: int, image_px: tuple[int, int]
) -> Launch:
    """Resize the network's output to the image's size, and cut off its padding and its margin.

    Args:
        depth: Address of the network's output, fit.input_px float32.
        taps: Addresses of both tables of depth_cubic_taps, (rows, columns).
        values: Address of the output, (H, W) float32.
    """
    (top, left), width = fit.offset_px, fit.input_px[1]
    content = depth + (top * width + left) * _FLOAT_BYTES
    return _plane("depth_to_image_cubic", image_px, (content, width, *fit.content_px, *taps, values, *image_px))


def _line(kernel: str, length: int, arguments: tuple[float, ...]) -> Launch:
    return Launch(kernel, (_blocks(length, _ROW_BLOCK[0]), 1, 1), _ROW_BLOCK, arguments)


def _plane(kernel: str, size_px: tuple[int, int], arguments: tuple[float, ...]) -> Launch:
    width, height = _PLANE_BLOCK[0], _PLANE_BLOCK[1]
    return Launch(kernel, (_blocks(size_px[1], width), _blocks(size_px[0], height), 1), _PLANE_BLOCK, arguments)


def _blocks(length: int, block: int) -> int:
    return -(-length // block)
