"""Pictures in the manner of paintings, drawings, cartoons and posters, made from photographs by OpenCV."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Style = Callable[[Image, np.random.Generator], Image]

_PAINTED_PX = 320  # longer side at which a filter of some seconds a megapixel runs


def photograph(image: Image, rng: np.random.Generator) -> Image:
    """Return the picture with other exposure and saturation."""
    gain, saturation = rng.uniform(0.75, 1.2), rng.uniform(0.5, 1.3)
    return _coloured(image, gain, saturation)


def painting(image: Image, rng: np.random.Generator) -> Image:
    """Smooth between edges and lay strokes of brightness over it."""
    small = _shrunk(image, _PAINTED_PX)
    smooth = np.asarray(cv2.edgePreservingFilter(small, flags=1, sigma_s=float(rng.uniform(15, 50)), sigma_r=0.4))
    height, width = smooth.shape[:2]
    grain = cv2.resize(
        rng.normal(1, 0.16, (height // 2, width // 7 + 1)).astype(np.float32), (width, height)
    )  # (w, h); strokes lie across
    stroked = np.clip(smooth * cv2.GaussianBlur(grain, (0, 0), 0.8)[..., None], 0, 255).astype(np.uint8)
    return _enlarged(_coloured(stroked, rng.uniform(0.8, 1.1), rng.uniform(1.0, 1.7)), image)


def stylised(image: Image, rng: np.random.Generator) -> Image:
    """Return OpenCV's watercolour (Gastal and Oliveira 2011)."""
    small = _shrunk(image, _PAINTED_PX * 3 // 4)
    if small.std((0, 1)).max() < 1:  # OpenCV divides by the largest gradient
        return image
    return _enlarged(np.asarray(cv2.stylization(small, sigma_s=40, sigma_r=0.4), np.uint8), image)


def cartoon(image: Image, rng: np.random.Generator) -> Image:
    """Reduce to few flat colours with black outlines."""
    small = _shrunk(image, _PAINTED_PX)
    flat = cv2.bilateralFilter(cv2.medianBlur(small, 5), 7, 50, 5)
    step = int(rng.integers(28, 56))
    flat = _coloured(np.asarray(flat // step * step + step // 2, np.uint8), 1.1, rng.uniform(1.3, 2.0))
    gray = cv2.medianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 5)
    lines = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, int(rng.integers(3, 8)))
    return _enlarged(np.asarray(cv2.bitwise_and(flat, flat, mask=lines), np.uint8), image)


def pencil(image: Image, rng: np.random.Generator) -> Image:
    """Draw with a pencil on toned paper: the picture over its own blur."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    soft = cv2.GaussianBlur(gray, (0, 0), float(rng.uniform(3, 9)))
    drawn = cv2.divide(gray, np.maximum(soft, 1), scale=250)
    paper = rng.uniform((0.75, 0.85, 0.9), (1.0, 1.0, 1.0))
    return np.clip(drawn[..., None] * paper, 0, 255).astype(np.uint8)


def poster(image: Image, rng: np.random.Generator) -> Image:
    """Reduce to a ramp between two colours in few steps."""
    gray = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    steps = int(rng.integers(3, 7))
    level = np.floor(np.arange(256) * steps / 256) / (steps - 1)
    dark, light = rng.uniform(0, 110, 3), rng.uniform(140, 255, 3)
    table = (dark + level[:, None] * (light - dark)).astype(np.uint8)
    return np.asarray(table[gray], np.uint8)


STYLES: dict[str, tuple[float, Style]] = {  # name: share, function
    "photograph": (0.4, photograph),
    "painting": (0.2, painting),
    "cartoon": (0.14, cartoon),
    "pencil": (0.08, pencil),
    "poster": (0.1, poster),
    "stylised": (0.08, stylised),
}


def restyle(image: Image, rng: np.random.Generator) -> tuple[str, Image]:
    """Return the name of a style that is drawn by its share, and the picture in it."""
    names = list(STYLES)
    name = str(rng.choice(names, p=[STYLES[one][0] for one in names]))
    return name, STYLES[name][1](image, rng)


def _shrunk(image: Image, side_px: int) -> Image:
    scale = side_px / max(image.shape[:2])
    if scale >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(small: Image, like: Image) -> Image:
    if small.shape == like.shape:
        return small
    size_px = (like.shape[1], like.shape[0])  # (w, h)
    return np.asarray(cv2.resize(small, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)


def _coloured(image: Image, gain: float, saturation: float) -> Image:
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    mixed = cv2.addWeighted(image, gain * saturation, cv2.merge([gray] * 3), gain * (1 - saturation), 0)
    return np.asarray(mixed, np.uint8)
