"""Paints pictures for paintings, posters and screens: landscapes, still lives, faces and abstract shapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .patterns import SIDE_PX, spectral_noise

PICTURES = 24
_Y, _X = (axis.astype(np.float32) / SIDE_PX for axis in np.mgrid[:SIDE_PX, :SIDE_PX])
_Picture = NDArray[np.float32]


def paint_pictures(texture_seed: int) -> _Picture:
    """Return (PICTURES, 3, SIDE_PX, SIDE_PX) float32, linear light in [0, 1]."""
    return np.stack([paint_picture(texture_seed, index) for index in range(PICTURES)])


def paint_picture(texture_seed: int, index: int) -> _Picture:
    """Return picture `index` of PICTURES, (3, SIDE_PX, SIDE_PX) float32, linear light in [0, 1]."""
    painters = (_landscape, _still_life, _face, _abstract)
    rng = np.random.default_rng([texture_seed, index, 7919])
    return np.clip(painters[index % len(painters)](rng), 0, 1).astype(np.float32)


def _colour(rng: np.random.Generator, low: float = 0.02, high: float = 0.8) -> _Picture:
    return rng.uniform(low, high, (3, 1, 1)).astype(np.float32)


def _over(picture: _Picture, mask: NDArray[np.bool_], colour: _Picture, shade: _Picture | float = 1.0) -> _Picture:
    return np.asarray(np.where(mask, colour * shade, picture), np.float32)


def _ellipse(x: float, y: float, rx: float, ry: float) -> _Picture:
    return np.asarray(((_X - x) / rx) ** 2 + ((_Y - y) / ry) ** 2, np.float32)


def _landscape(rng: np.random.Generator) -> _Picture:
    """Paint sky, ranges of hills that turn paler with distance, and trees."""
    sky = _colour(rng, 0.3, 0.9)
    clouds = np.clip(spectral_noise(rng, 1.4, stretch=0.4) * 2 - 0.8, 0, 1)
    picture = sky * (1 - _Y * 0.5) * (1 - clouds) + clouds * 0.9
    horizon = rng.uniform(0.35, 0.6)
    for hill in range(4):
        line = horizon + hill * 0.1 + (spectral_noise(rng, 1.6, highest=20)[0] - 0.5) * 0.3
        shade = 0.6 + 0.8 * spectral_noise(rng, 0.8)
        colour = _colour(rng, 0.05, 0.4) * (0.3 + 0.2 * hill) + sky * (0.5 - 0.15 * hill)
        picture = _over(picture, line[None, :] < _Y, colour, shade)
    for _ in range(int(rng.integers(0, 6))):
        x, y, size = rng.uniform(0, 1), rng.uniform(horizon, 0.9), rng.uniform(0.05, 0.2)
        ragged = _ellipse(x, y, size * 0.6, size) + (spectral_noise(rng, 0.8) - 0.5) * 2
        picture = _over(picture, ragged < 1, _colour(rng, 0.02, 0.25), 0.4 + spectral_noise(rng, 0.3))
    return np.asarray(picture, np.float32)


def _still_life(rng: np.random.Generator) -> _Picture:
    """Paint shaded balls and jars on a table in front of a wall."""
    picture = _colour(rng) * (0.5 + 0.8 * spectral_noise(rng, 1.3))
    table = rng.uniform(0.5, 0.75)
    picture = _over(picture, table < _Y, _colour(rng), 0.5 + spectral_noise(rng, 0.8, stretch=6))
    for _ in range(int(rng.integers(3, 9))):
        x, y, r = rng.uniform(0.1, 0.9), rng.uniform(table - 0.1, 0.9), rng.uniform(0.05, 0.18)
        inside = _ellipse(x, y, r, r * rng.uniform(0.8, 1.8))
        light = np.clip(0.9 - 0.5 * inside + 0.6 * (x - _X + y - _Y) / r, 0.1, 1.3)
        picture = _over(picture, _ellipse(x + 0.3 * r, y + r, r * 1.2, r * 0.4) < 1, _colour(rng, 0.02, 0.06))
        picture = _over(picture, inside < 1, _colour(rng), light)
    return picture


def _face(rng: np.random.Generator) -> _Picture:
    """Paint a head with shoulders in front of a blurred background."""
    picture = _colour(rng) * (0.4 + spectral_noise(rng, 1.8))
    x, y, r = rng.uniform(0.4, 0.6), rng.uniform(0.35, 0.5), rng.uniform(0.15, 0.25)
    skin = np.array([0.55, 0.32, 0.22], np.float32)[:, None, None] * rng.uniform(0.3, 1.3)
    light = np.clip(0.8 + (x - _X) / r * 0.4, 0.2, 1.2) * (0.9 + 0.2 * spectral_noise(rng, 0.8))
    hair = _colour(rng, 0.01, 0.3)
    picture = _over(picture, _ellipse(x, y + 0.75, r * 2.4, 0.45) < 1, _colour(rng), light)
    picture = _over(picture, _ellipse(x, y - r * 0.3, r * 1.15, r * 1.3) < 1, hair, 0.5 + spectral_noise(rng, 0.7))
    picture = _over(picture, _ellipse(x, y + r * 1.2, r * 0.4, r * 0.7) < 1, skin * 0.8, light)
    picture = _over(picture, _ellipse(x, y, r * 0.85, r * 1.15) < 1, skin, light)
    for side in (-1, 1):
        picture = _over(
            picture, _ellipse(x + side * r * 0.35, y - r * 0.15, r * 0.15, r * 0.08) < 1, _colour(rng, 0, 0.1)
        )
    return _over(picture, _ellipse(x, y + r * 0.6, r * 0.3, r * 0.07) < 1, skin * np.array([[[0.8]], [[0.4]], [[0.4]]]))


def _abstract(rng: np.random.Generator) -> _Picture:
    """Paint flat shapes and bands on a brushed field."""
    picture = _colour(rng, 0.1, 0.9) * (0.7 + 0.5 * spectral_noise(rng, 1.0))
    for _ in range(int(rng.integers(4, 14))):
        x, y, rx, ry = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.03, 0.4), rng.uniform(0.03, 0.4)
        turn = rng.uniform(0, np.pi)
        u = (_X - x) * np.cos(turn) + (_Y - y) * np.sin(turn)
        v = -(_X - x) * np.sin(turn) + (_Y - y) * np.cos(turn)
        box = (np.abs(u) < rx) & (np.abs(v) < ry)
        disc = (u / rx) ** 2 + (v / ry) ** 2 < 1
        picture = _over(picture, box if rng.random() < 0.5 else disc, _colour(rng, 0.01, 0.95))
    return picture
