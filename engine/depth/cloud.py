"""Metric depth and its camera in, points in space out: organised as the image is, and as PLY and PCD files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..images.limits import check_image
from ..system.files import atomic_path
from ..terms import CLOUD_FORMATS, CloudFormat
from .intrinsics import Intrinsics

_AXES = ("x", "y", "z")
_COMMENT = "metres; x right, y down, z forward"
Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PointCloud:
    """A point in space for every pixel that has a depth.

    Args:
        points: (H, W, 3) float32, metres: x right, y down, z forward; NaN for a pixel without a depth.
        colours: (H, W, 3) uint8, BGR: the image; None for a cloud without colours.

    Raises:
        InputError: A shape or dtype is wrong.
    """

    points: Float32
    colours: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if self.points.ndim != 3 or self.points.shape[2] != 3 or self.points.dtype != np.float32:
            raise InputError(f"points: {self.points.shape} {self.points.dtype} found, expected (H, W, 3) float32")
        if self.colours is None:
            return
        check_image(self.colours)
        if self.colours.shape != self.points.shape:
            sizes = f"image {self.colours.shape[:2]} and depth {self.points.shape[:2]} found (HxW)"
            raise InputError(f"{sizes}, expected one size; resize one of them")

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Return which pixels have a point, (H, W) bool."""
        found: NDArray[np.bool_] = ~np.isnan(self.points[..., 2])
        return found

    def save(self, path: str | Path) -> None:
        """Write the cloud, whole or not at all: .ply has the valid points alone, .pcd every pixel in rows.

        Raises:
            InputError: The suffix is another, or the disk refuses.
        """
        suffix = Path(path).suffix.lower()
        format = next((known for known in CLOUD_FORMATS if suffix == f".{known}"), None)
        if format is None:
            expected = " or ".join(f".{known}" for known in CLOUD_FORMATS)
            raise InputError(f"{path}: suffix {suffix!r} found, a cloud of points expects {expected}; change it")
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.encode(format))

    def encode(self, format: CloudFormat) -> bytes:
        """Return the bytes of the file that save writes: "ply" or "pcd", both binary, little-endian."""
        if format not in CLOUD_FORMATS:
            raise InputError(f"format {format!r} found, expected one of {', '.join(CLOUD_FORMATS)}")
        return _ply(self) if format == "ply" else _pcd(self)


def points_of(depth_m: Float32, camera: Intrinsics) -> Float32:
    """Return the point of every pixel, (H, W, 3) float32 metres.

    Args:
        depth_m: (H, W), metres along the camera's axis.
        camera: Of images of this size.
    """
    height, width = depth_m.shape
    across = np.arange(width, dtype=np.float32) - np.float32(camera.cx_px)  # (W,)
    down = np.arange(height, dtype=np.float32) - np.float32(camera.cy_px)  # (H,)
    points = np.empty((height, width, 3), np.float32)
    points[..., 0] = across * depth_m / np.float32(camera.fx_px)
    points[..., 1] = down[:, None] * depth_m / np.float32(camera.fy_px)
    points[..., 2] = depth_m
    return points


def pixels_of(cloud: PointCloud) -> NDArray[np.void]:
    """Return a record for each pixel, (H, W): x, y, z, and rgb if there are colours; 4 bytes each, little-endian.

    The colour is an integer 0x00RRGGBB, which readers take for the bits of a float32.
    Source: Point Cloud Library, common/include/pcl/impl/point_types.hpp
    """
    names = [*_AXES, *(() if cloud.colours is None else ("rgb",))]
    pixels = np.empty(cloud.points.shape[:2], np.dtype([(name, "<u4" if name == "rgb" else "<f4") for name in names]))
    _fill(pixels, _AXES, cloud.points)
    if cloud.colours is not None:
        blue, green, red = np.moveaxis(cloud.colours.astype(np.uint32), 2, 0)
        pixels["rgb"] = red << 16 | green << 8 | blue
    return pixels


def _ply(cloud: PointCloud) -> bytes:
    """Return a PLY file of the valid points, by rows. Source: G. Turk, The PLY Polygon File Format, 1994."""
    valid = cloud.valid
    fields = [(axis, "<f4") for axis in _AXES]
    if cloud.colours is not None:
        fields += [(name, "u1") for name in ("red", "green", "blue")]
    vertices = np.empty(np.count_nonzero(valid), np.dtype(fields))
    _fill(vertices, _AXES, cloud.points[valid])
    if cloud.colours is not None:
        _fill(vertices, ("blue", "green", "red"), cloud.colours[valid])
    words = {"<f4": "float", "u1": "uchar"}
    head = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment {_COMMENT}",
        f"element vertex {len(vertices)}",
        *(f"property {words[kind]} {name}" for name, kind in fields),
        "end_header",
    ]
    return _file(head, vertices)


def _pcd(cloud: PointCloud) -> bytes:
    """Return a PCD file of every pixel, NaN where there is no point.

    Source: Point Cloud Library, The PCD file format, version 0.7
    """
    pixels = pixels_of(cloud)
    names = pixels.dtype.names or ()
    height, width = pixels.shape
    fields = {"FIELDS": names, "SIZE": "4" * len(names), "TYPE": "F" * len(names), "COUNT": "1" * len(names)}
    head = [
        f"# {_COMMENT}",
        "VERSION .7",
        *(f"{name} {' '.join(values)}" for name, values in fields.items()),
        f"WIDTH {width}",
        f"HEIGHT {height}",
        "VIEWPOINT 0 0 0 1 0 0 0",
        f"POINTS {width * height}",
        "DATA binary",
    ]
    return _file(head, pixels)


def _fill(records: NDArray[np.void], names: Sequence[str], columns: NDArray[np.generic]) -> None:
    for column, name in enumerate(names):
        records[name] = columns[..., column]


def _file(head: Sequence[str], records: NDArray[np.void]) -> bytes:
    return "".join(f"{line}\n" for line in head).encode("ascii") + records.tobytes()
