"""The depth of an image: values with their kind, unit, valid mask and provenance."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..images.limits import DEFAULT_LIMITS, Limits
from ..images.write import encode_image, write_image
from ..system.files import atomic_path
from ..terms import CLOUD_FORMATS, FORMATS, KINDS, MEANINGS, Colormap, Format, Kind
from .cloud import PointCloud, points_of
from .colour import colorize
from .intrinsics import Intrinsics
from .provenance import NO_FOCAL, Provenance
from .read import read_kind, read_npz
from .write import (
    Facts,
    Float32,
    check_suffix,
    format_of_suffix,
    outside_png16,
    side_by_side,
    to_codes,
    write_png16,
    write_stream,
)


@dataclass(frozen=True, slots=True, eq=False)
class Depth:
    """Depth of every pixel of one image.

    Args:
        values: (H, W) float32; metres for "metric"; unitless for the others, larger is nearer for "inverse", farther
            for "affine" (scale and shift unknown; 0 is a value like others) and "scale" (scale unknown).
        kind: "inverse", "metric", "affine" or "scale".
        valid: (H, W) bool; pixels that have a depth. Non-finite values become invalid here.
        provenance: Where the values come from.
        max_depth_m: Largest depth that the metric model can give; None if it has no bound, and for other kinds.

    Raises:
        InputError: A shape, dtype or kind is wrong.
    """

    values: NDArray[np.float32]
    kind: Kind
    valid: NDArray[np.bool_]
    provenance: Provenance
    max_depth_m: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind {self.kind!r} found, expected one of {', '.join(KINDS)}")
        _check_array("values", self.values, np.float32)
        _check_array("valid", self.valid, np.bool_)
        if self.values.shape != self.valid.shape:
            raise InputError(f"values {self.values.shape} and valid {self.valid.shape} found, expected one shape")
        finite = np.isfinite(self.values)
        if not finite.all():
            object.__setattr__(self, "valid", self.valid & finite)

    @property
    def unit(self) -> str:
        """Return "m" for metric depth, "" for the other kinds, which have no unit."""
        return MEANINGS[self.kind].unit

    @property
    def larger_is_nearer(self) -> bool:
        """Whether a larger value is nearer to the camera; true of inverse depth."""
        return MEANINGS[self.kind].larger_is_nearer

    @property
    def shape(self) -> tuple[int, int]:
        """Return (H, W)."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def metres(self) -> NDArray[np.float32]:
        """Return values, (H, W) float32 in metres.

        Raises:
            InputError: The depth is of another kind than metric.
        """
        meaning = MEANINGS[self.kind]
        if meaning.unit == "m":
            return self.values
        verbs = "are unknown and differ" if " and " in meaning.unknown else "is unknown and differs"
        if NO_FOCAL in self.provenance.notes:
            raise InputError(f"this depth has no metres: {NO_FOCAL}")
        raise InputError(
            f"{self.provenance.model} gives {meaning.name}, whose {meaning.unknown} {verbs} from image to image, so it "
            "has no metres; use a metric model"
        )

    def colorize(
        self, *, colormap: Colormap | None = None, value_range: tuple[float, float] | None = None
    ) -> NDArray[np.uint8]:
        """Paint the depth; near pixels have the same colour for all kinds.

        Args:
            colormap: "spectral_r" (the default), "inferno", "turbo" or "gray".
            value_range: (lowest, highest) in the depth's unit, so that pictures of several images compare; values
                outside are clipped. None takes the extremes of this image.

        Returns:
            (H, W, 3) uint8, BGR; invalid pixels are mid-gray.
        """
        return colorize(
            self.values, self.valid, larger_is_nearer=self.larger_is_nearer, colormap=colormap, value_range=value_range
        )

    @property
    def intrinsics(self) -> Intrinsics | None:
        """Return the camera at the depth's own size; None if the depth was made without one.

        Raises:
            InputError: The values were cut to another aspect than the image's.
        """
        camera = self.provenance.camera
        return None if camera is None else camera.for_image(self.shape)

    def points(self, intrinsics: Intrinsics | None = None) -> NDArray[np.float32]:
        """Return the points in space of the valid pixels; their colours, in the same order, are `image[depth.valid]`.

        Args:
            intrinsics: As in cloud.

        Returns:
            (N, 3) float32, metres: x right, y down, z forward; in the order of rows.

        Raises:
            InputError: The depth is not metric, or no camera is known, or it is one of other images.
        """
        points: NDArray[np.float32] = self._organised(intrinsics)[self.valid]
        return points

    def cloud(self, intrinsics: Intrinsics | None = None, *, image: NDArray[np.uint8] | None = None) -> PointCloud:
        """Return the points in space, organised as the image is: (H, W, 3) metres, NaN for a pixel without a depth.

        Args:
            intrinsics: The camera; None takes the one that the depth was made with.
            image: (H, W, 3) uint8 BGR of the same size: the colours of the points.

        Raises:
            InputError: The depth is not metric, or no camera is known, or it is one of other images.
        """
        points = self._organised(intrinsics)
        points[~self.valid] = np.nan
        return PointCloud(points, image)

    def _organised(self, intrinsics: Intrinsics | None) -> NDArray[np.float32]:
        """Return a point for every pixel, (H, W, 3), also for invalid ones."""
        return points_of(self.metres, self.camera(intrinsics))

    def camera(self, intrinsics: Intrinsics | None = None) -> Intrinsics:
        """Return the camera at the depth's own size: the given one, or the one that the depth was made with.

        Raises:
            InputError: No camera is known, or it is one of other images.
        """
        camera = self.intrinsics if intrinsics is None else intrinsics
        if not isinstance(camera, Intrinsics):
            raise InputError(
                f"intrinsics {intrinsics!r} found, expected Intrinsics; "
                "give the camera's, or guess with Intrinsics.from_fov(60, height_px, width_px)"
            )
        return camera.for_image(self.shape)

    def save(
        self,
        path: str | Path,
        *,
        format: Format | None = None,
        image: NDArray[np.uint8] | None = None,
        colormap: Colormap | None = None,
        value_range: tuple[float, float] | None = None,
        unit: Literal["m"] | None = None,
    ) -> None:
        """Write the depth to a file, whole or not at all.

        By the suffix: .png, .jpg and .webp are coloured pictures, which hold no values; .npy, .pfm, .exr and .tiff hold
        the values, NaN where there is none. .npz holds the arrays values, valid, kind, unit, max_depth_m (NaN for none)
        and provenance (JSON). format="png16" writes a .png of 16 bits: whole millimetres up to 65.535 m, 0 where there
        is no value; for depth without a unit value = offset + scale * code, with both numbers in the text of the PNG.
        .ply and .pcd hold the points in space of metric depth whose camera is known, with the colours of `image`.

        Args:
            path: The file; an existing one is replaced.
            format: None chooses by the path's suffix.
            image: (H, W, 3) uint8 BGR of the same size; used by "side", "ply" and "pcd".
            colormap: As in colorize, for "color" and "side".
            value_range: As in colorize; also the scale of a "png16" of depth without a unit.
            unit: "m" refuses depth without a unit.

        Raises:
            InputError: Suffix, format and options do not fit together, or the disk refuses.
        """
        if unit not in (None, "m"):
            raise InputError(f"unit {unit!r} found, expected 'm' or None")
        if unit == "m":
            _ = self.metres  # refuses depth without a unit
        format = format or format_of_suffix(path)
        check_suffix(path, format)
        if format in ("color", "side"):
            picture = self.colorize(colormap=colormap, value_range=value_range)
            write_image(path, picture if format == "color" else side_by_side(image, picture))
            return
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            self._write_values(file, format, value_range, image)

    def encode(
        self,
        format: Format,
        *,
        image: NDArray[np.uint8] | None = None,
        colormap: Colormap | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> bytes:
        """Return the bytes of the file that save writes; "color" and "side" are PNG.

        Args:
            format, image, colormap, value_range: As in save.

        Raises:
            InputError: Format and options do not fit together.
        """
        if format not in FORMATS:
            raise InputError(f"format {format!r} found, expected one of {', '.join(FORMATS)}")
        if format in ("color", "side"):
            picture = self.colorize(colormap=colormap, value_range=value_range)
            return encode_image(picture if format == "color" else side_by_side(image, picture), ".png")
        file = io.BytesIO()
        self._write_values(file, format, value_range, image)
        return file.getvalue()

    def outside_png16(self, value_range: tuple[float, float] | None = None) -> int:
        """Return the number of valid pixels that a "png16" does not hold; see depth/write.py."""
        return outside_png16(self.values, self.valid, self.kind, value_range)

    @classmethod
    def load(cls, path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Depth:
        """Read an .npz file that save wrote; it holds the whole record.

        Raises:
            InputError: The file is missing or over the limits, or save did not write it.
        """
        values, valid, facts = read_npz(path, limits)
        try:
            largest = float(facts["max_depth_m"])
            provenance = Provenance.from_dict(json.loads(facts["provenance"]))
            kind = read_kind(facts["kind"])
            _check_unit(kind, facts["unit"], largest)
            return cls(values, kind, valid, provenance, None if math.isnan(largest) else largest)
        except InputError:
            raise
        except Exception as error:  # JSON of another shape
            raise InputError(f"{path} is not a depth file of depthrt ({error}); write one with Depth.save") from error

    def _write_values(
        self,
        file: BinaryIO,
        format: Format,
        value_range: tuple[float, float] | None,
        image: NDArray[np.uint8] | None,
    ) -> None:
        """Write the values to an open file in a format that is not a picture."""
        cloud_format = next((known for known in CLOUD_FORMATS if known == format), None)
        if cloud_format is not None:
            file.write(self.cloud(image=image).encode(cloud_format))
            return
        if format == "png16":
            codes, coded = to_codes(self.values, self.valid, self.kind, value_range)
            outside = {"outside": str(self.outside_png16(value_range))}
            write_png16(file, codes, {**self._facts(), **coded, **outside})
            return
        largest = {"max_depth_m": "nan" if self.max_depth_m is None else repr(self.max_depth_m)}
        write_stream(file, format, self.values, self.valid, {**self._facts(), **largest})

    def _facts(self) -> Facts:
        """Return what files record besides the values."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "model": self.provenance.model,
            "provenance": json.dumps(self.provenance.to_dict()),
        }


def _check_unit(kind: Kind, unit: str, largest: float) -> None:
    """Raise ValueError for a unit and a largest depth (nan: none) that depth of this kind does not have."""
    if unit != MEANINGS[kind].unit:
        raise ValueError(f"unit {unit!r:.40} found for kind {kind}")
    if not math.isnan(largest) and not (unit and 0 < largest < math.inf):
        raise ValueError(f"largest depth {largest:g} found for kind {kind}")


def _check_array(name: str, array: object, dtype: type[np.generic]) -> None:
    """Raise InputError unless array is a non-empty (H, W) array of dtype."""
    wanted = np.dtype(dtype).name
    if not isinstance(array, np.ndarray):
        raise InputError(f"{name}: {type(array).__name__} found, expected a numpy array (H, W) of {wanted}")
    if array.ndim != 2 or array.size == 0 or array.dtype != dtype:
        raise InputError(f"{name}: {array.shape} {array.dtype} found, expected non-empty (H, W) {wanted}; convert it")


def valid_pixels(values: Float32, kind: Kind) -> NDArray[np.bool_]:
    """Return the mask (H, W) of values that are a depth: finite, and above 0 where 0 is the camera itself."""
    finite = np.isfinite(values)
    return finite & (values > 0) if MEANINGS[kind].positive else finite
