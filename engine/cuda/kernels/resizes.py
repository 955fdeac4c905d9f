"""Which resizes of a contract the kernels compute, and the launches for them."""

from __future__ import annotations

from ...images.fit import Fit
from ...modelfile.contract import Contract, FinalResize, InputResize
from ...modelfile.size_rule import Margin, Pad
from . import kernels
from .kernels import Axis, Launch

# What has kernels: the image's resize and the depth's, each with the margins that it can have, and the padding.
IMAGE: dict[InputResize, tuple[Margin, ...]] = {"cubic": ("none",), "bilinear_corners": ("none", "zoe")}
DEPTH: dict[FinalResize, tuple[Margin, ...]] = {
    "bilinear_corners": ("none",),
    "bilinear_centres": ("none",),
    "bicubic": ("none", "zoe"),
}
PADS: tuple[Pad, ...] = ("mirror",)


def missing_kernels(contract: Contract) -> tuple[str, ...]:
    """Return what no kernel computes of a contract, as fields with their values; empty if the GPU can resize."""
    size, image, depth = contract.size, contract.input_resize, contract.final_resize
    margin = "" if size.margin == "none" else f" with size.margin {size.margin}"
    found = {
        f"input_resize {image}{margin}": size.margin in IMAGE.get(image, ()),
        f"size.pad {size.pad}": size.pad in PADS,
        f"final_resize {depth}{margin}": size.margin in DEPTH.get(depth, ()),
        "sky_from": contract.sky_from is None,
        "focal_unit_px": contract.focal_unit_px is None,
    }
    return tuple(name for name, has_kernel in found.items() if not has_kernel)


def host_note(contract: Contract) -> str:
    """Return why the CPU resizes images and depth although the network runs on a GPU; "" if the GPU resizes them."""
    missing = missing_kernels(contract)
    if not missing:
        return ""
    return f"depthrt has no GPU kernel for {' and '.join(missing)}, so the CPU resizes images and depth"


def image_taps(taps: int, contract: Contract, fit: Fit, axis: Axis, image_px: tuple[int, int]) -> Launch:
    """Fill image_to_batch's table of one axis.

    Args:
        taps: Address of the table, fit.input_px[axis] * TAP_BYTES bytes.
    """
    if contract.input_resize == "cubic":
        return kernels.cubic_taps(taps, fit, axis, image_px)
    return kernels.corner_taps(taps, fit, axis, image_px)


def depth_taps(taps: int, contract: Contract, fit: Fit, axis: Axis, image_px: tuple[int, int]) -> Launch:
    """Fill depth_to_image's table of one axis.

    Args:
        taps: Address of the table, image_px[axis] * TAP_BYTES bytes.
    """
    if contract.final_resize == "bicubic":
        return kernels.depth_cubic_taps(taps, fit, axis, image_px)
    return kernels.bilinear_taps(taps, fit, axis, image_px, mode=contract.final_resize)


def depth_to_image(
    *, depth: int, contract: Contract, fit: Fit, taps: tuple[int, int], values: int, image_px: tuple[int, int]
) -> Launch:
    """Resize the network's output to the image's size and cut off its padding and its margin.

    Args:
        depth: Address of the network's output, fit.input_px float32.
        taps: Addresses of both tables of depth_taps, (rows, columns).
        values: Address of the output, (H, W) float32.
    """
    if contract.final_resize == "bicubic":
        return kernels.depth_to_image_cubic(depth=depth, fit=fit, taps=taps, values=values, image_px=image_px)
    width = fit.input_px[1]
    return kernels.depth_to_image(depth=depth, depth_width=width, taps=taps, values=values, image_px=image_px)
