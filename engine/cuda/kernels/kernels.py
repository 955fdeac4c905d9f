"""What the kernels of kernels.cu take: launches, ready for a GPU or for the host's copy of the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...images.preprocess import Color, Fit
from ...modelfile.contract import Contract, FinalResize

SOURCE = Path(__file__).with_name("kernels.cu")
FATBIN = Path(__file__).with_name("kernels.fatbin")
SHA256 = Path(__file__).with_name("kernels.sha256")

# Arguments of each kernel, as the struct module writes them; addresses are P.
ARGUMENTS = {
    "cubic_taps": "Piiii",
    "bilinear_taps": "Piiii",
    "image_to_batch": "PqiiPPPiii6f",
    "depth_to_image": "PiPPPii",
}
TAP_BYTES = 8  # sizeof(Tap)

_ROW_BLOCK = (128, 1, 1)
# A warp is 32 values of one row, so that it writes 128 bytes in a piece.
_PLANE_BLOCK = (32, 8, 1)

Axis = Literal[0, 1]  # of (H, W)
Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Launch:
    """One kernel with its grid, block and arguments.

    Args:
        kernel: Its name, a key of ARGUMENTS.
        grid, block: (x, y, z) blocks, and threads in a block.
        arguments: Numbers; addresses are those of the memory that the kernel reads.
    """

    kernel: str
    grid: Triple
    block: Triple
    arguments: tuple[float, ...]


def cubic_taps(taps: int, fit: Fit, axis: Axis, image_px: tuple[int, int]) -> Launch:
    """Fill the table of one axis for image_to_batch.

    Args:
        taps: Address of fit.input_px[axis] * TAP_BYTES bytes.
    """
    side = fit.input_px[axis]
    return _line("cubic_taps", side, (taps, side, fit.content_px[axis], fit.offset_px[axis], image_px[axis]))


def bilinear_taps(taps: int, fit: Fit, axis: Axis, image_px: tuple[int, int], *, mode: FinalResize) -> Launch:
    """Fill the table of one axis for depth_to_image.

    Args:
        taps: Address of image_px[axis] * TAP_BYTES bytes.
    """
    side = image_px[axis]
    corners = int(mode == "bilinear_corners")
    return _line("bilinear_taps", side, (taps, side, fit.content_px[axis], fit.offset_px[axis], corners))


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
    """Resize, normalise and lay out one image.

    Args:
        image: Address of (H, W, 3) uint8, in the order `color` names, rows row_bytes apart.
        taps: Addresses of both cubic tables, (rows, columns).
        batch: Address of the (3, h, w) float32 to write.
    """
    order = -1 if color == "bgr" else 1
    normalise = [1.0 / (255.0 * std) for std in contract.std][::order]
    normalise += [-mean / std for mean, std in zip(contract.mean, contract.std, strict=True)][::order]
    return _plane(
        "image_to_batch",
        input_px,
        (image, row_bytes, *image_px, *taps, batch, *input_px, int(color == "bgr"), *normalise),
    )


def depth_to_image(
    *, depth: int, depth_width: int, taps: tuple[int, int], values: int, image_px: tuple[int, int]
) -> Launch:
    """Bring a network's output to the image's size, padding cut off.

    Args:
        depth: Address of (h, depth_width) float32.
        taps: Addresses of both bilinear tables, (rows, columns).
        values: Address of the (H, W) float32 to write.
    """
    return _plane("depth_to_image", image_px, (depth, depth_width, *taps, values, *image_px))


def _line(kernel: str, length: int, arguments: tuple[float, ...]) -> Launch:
    return Launch(kernel, (_blocks(length, _ROW_BLOCK[0]), 1, 1), _ROW_BLOCK, arguments)


def _plane(kernel: str, size_px: tuple[int, int], arguments: tuple[float, ...]) -> Launch:
    width, height = _PLANE_BLOCK[0], _PLANE_BLOCK[1]
    return Launch(kernel, (_blocks(size_px[1], width), _blocks(size_px[0], height), 1), _PLANE_BLOCK, arguments)


def _blocks(length: int, block: int) -> int:
    return -(-length // block)
