"""Draws tiling patterns from a numpy generator: wood, brick, cloth, stone, print, foliage and more.

A pattern is (3, SIDE_PX, SIDE_PX): figure, slow variation, grain; weights in about [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
Draw = Callable[[np.random.Generator], Map]

SIDE_PX = 256
_Y, _X = (axis.astype(np.float32) / SIDE_PX for axis in np.mgrid[:SIDE_PX, :SIDE_PX])
_FX = np.fft.rfftfreq(SIDE_PX).astype(np.float32)[None, :] * SIDE_PX
_FY = np.fft.fftfreq(SIDE_PX).astype(np.float32)[:, None] * SIDE_PX


def spectral_noise(
    rng: np.random.Generator, slope: float, *, lowest: float = 1.0, stretch: float = 1.0, highest: float = 1e9
) -> Map:
    """Return tiling noise of all octaves, mean 0.5, deviation 0.2.

    Args:
        slope: Amplitude falls with frequency to this power; 0 is white noise.
        lowest, highest: Lowest and highest frequency, in cycles per tile.
        stretch: Above 1 the noise is stretched along x.
    """
    radius = np.hypot(_FX * np.float32(stretch), _FY)
    gain = np.where((radius >= lowest) & (radius <= highest), np.maximum(radius, 1e-6) ** np.float32(-slope), 0.0)
    real, imaginary = rng.standard_normal((2, *radius.shape), dtype=np.float32) * gain
    noise = np.fft.irfft2(real + 1j * imaginary, (SIDE_PX, SIDE_PX))
    return np.asarray(0.5 + 0.2 * noise / (noise.std() + 1e-12), np.float32)


def _stack(rng: np.random.Generator, figure: Map, *, grain_slope: float = 0.4, slow_slope: float = 1.6) -> Map:
    """Stack a figure with slow variation and grain."""
    slow = spectral_noise(rng, slow_slope, highest=12)
    grain = spectral_noise(rng, grain_slope, lowest=16)
    return np.stack([np.asarray(figure, np.float32), slow, grain])


def _warp(rng: np.random.Generator, figure: Map, amount_px: float, slope: float = 1.5) -> Map:
    """Displace the pixels of a tiling map by smooth noise."""
    shift = [(spectral_noise(rng, slope, highest=32) - 0.5) * 5 * amount_px for _ in range(2)]
    y = (_Y * SIDE_PX + shift[0]).round().astype(int) % SIDE_PX
    x = (_X * SIDE_PX + shift[1]).round().astype(int) % SIDE_PX
    return np.asarray(figure[y, x], np.float32)


def _smooth(edge0: float, edge1: float, x: Map) -> Map:
    t = np.clip((x - edge0) / (edge1 - edge0), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _cells(rng: np.random.Generator, points: int, *, stretch: float = 1.0) -> tuple[Map, Map, Map]:
    """Return the distances to the nearest and second nearest point, and a random level of each cell (all tiling)."""
    at = rng.random((points, 2), dtype=np.float32)
    levels = rng.random(points, dtype=np.float32)
    first = second = np.full_like(_X, np.inf)
    level = np.zeros_like(_X)
    for (x, y), random_level in zip(at, levels, strict=True):
        dx, dy = np.abs(_X - x), np.abs(_Y - y)
        distance2 = (np.minimum(dx, 1 - dx) * np.float32(stretch)) ** 2 + np.minimum(dy, 1 - dy) ** 2
        nearer = distance2 < first
        level = np.where(nearer, random_level, level)
        second = np.where(nearer, first, np.minimum(second, distance2))
        first = np.where(nearer, distance2, first)
    scale = np.float32(points**0.5)
    return np.sqrt(first) * scale, np.sqrt(second) * scale, level


def _grid(rng: np.random.Generator, rows: int, columns: int, *, shift: float, joint: float) -> tuple[Map, Map]:
    """Return (joint mask, random level of each cell) of a wall of rows x columns, alternate rows shifted."""
    row = np.floor(_Y * rows)
    x = (_X * columns + shift * (row % 2)) % columns
    column = np.floor(x)
    edge_x, edge_y = np.minimum(x - column, 1 - (x - column)) / columns, _edge(_Y * rows) / rows
    level = rng.random((rows, columns), dtype=np.float32)[row.astype(int), column.astype(int)]
    return 1 - _smooth(joint * 0.5, joint, np.minimum(edge_x, edge_y)), level


def _edge(x: Map) -> Map:
    return np.minimum(x % 1, 1 - x % 1)


def draw_noise(rng: np.random.Generator) -> Map:
    """Draw clouds of any roughness, sometimes thresholded into blotches."""
    noise = spectral_noise(rng, rng.uniform(0.3, 2.0), lowest=rng.choice([1, 2, 4]), stretch=rng.choice([1, 1, 1, 3]))
    sharp = rng.uniform(0.02, 0.6)
    return _stack(rng, _smooth(0.5 - sharp, 0.5 + sharp, noise), grain_slope=0.2)


def draw_plaster(rng: np.random.Generator) -> Map:
    """Draw an almost uniform wall with faint stains."""
    return _stack(rng, 0.5 + (spectral_noise(rng, 0.9) - 0.5) * 0.5, grain_slope=0.7)


def draw_wood(rng: np.random.Generator) -> Map:
    """Draw boards with grain along x."""
    boards = int(rng.choice([1, 4, 6, 8]))
    joint, level = _grid(rng, boards, int(rng.choice([1, 2])), shift=rng.uniform(0.2, 0.8), joint=0.004)
    offset = (level * 97).astype(np.float32)
    rings = spectral_noise(rng, 1.2, stretch=rng.uniform(6, 14))
    grain = 0.5 + 0.5 * np.sin((rings * rng.uniform(15, 40) + offset) * 2)
    figure = 0.25 + 0.4 * grain * spectral_noise(rng, 0.7, stretch=10) * 1.5 + 0.5 * (level - 0.5)
    dark = joint if boards > 1 else np.zeros_like(joint)
    out = _stack(rng, figure * (1 - dark), grain_slope=0.5)
    out[2] = spectral_noise(rng, 0.3, stretch=8, lowest=8)
    return out


def draw_marble(rng: np.random.Generator) -> Map:
    """Draw veins through a smooth stone."""
    turbulence = spectral_noise(rng, 1.3) + 0.5 * spectral_noise(rng, 0.9)
    waves = int(rng.integers(1, 4))
    veins = np.abs(np.sin(np.pi * (waves * (_X + _Y) + turbulence * rng.uniform(2, 5))))
    return _stack(rng, 1 - veins ** rng.uniform(0.15, 0.6))


def draw_tiles(rng: np.random.Generator) -> Map:
    """Draw square or long tiles with joints."""
    rows = int(rng.choice([2, 4, 6, 8]))
    columns = int(rows * rng.choice([0.5, 1, 1]))
    joint, level = _grid(rng, rows, columns, shift=float(rng.choice([0, 0, 0.5])), joint=rng.uniform(0.004, 0.015))
    cells = 0.35 + level * rng.uniform(0.0, 0.6)
    return _stack(rng, cells * (1 - joint) + joint * rng.choice([0.0, 1.0]))


def draw_checker(rng: np.random.Generator) -> Map:
    """Draw a checkerboard, plain or worn."""
    count = int(rng.choice([2, 4, 8]))
    board = (np.floor(_X * count) + np.floor(_Y * count)) % 2
    worn = (spectral_noise(rng, 0.8) - 0.5) * rng.uniform(0, 0.8)
    return _stack(rng, board * 0.9 + 0.05 + worn)


def draw_brick(rng: np.random.Generator) -> Map:
    """Draw courses of bricks with mortar."""
    rows = int(rng.choice([8, 12, 16]))
    joint, level = _grid(rng, rows, rows // int(rng.choice([2, 3])), shift=0.5, joint=rng.uniform(0.008, 0.014))
    joint = _warp(rng, joint, 0.8)
    rough = (spectral_noise(rng, 0.6) - 0.5) * 0.5
    return _stack(rng, (0.2 + 0.5 * level + rough) * (1 - joint) + joint)


def draw_stripes(rng: np.random.Generator) -> Map:
    """Draw bands of several widths, vertical or horizontal."""
    bands = rng.random(int(rng.choice([2, 4, 6, 16])), dtype=np.float32)
    along = _X if rng.random() < 0.5 else _Y
    times = int(rng.choice([1, 2, 4]))
    figure = bands[(np.floor(along * len(bands) * times) % len(bands)).astype(int)]
    return _stack(rng, _warp(rng, figure, float(rng.choice([0, 0, 2]))))


def draw_plaid(rng: np.random.Generator) -> Map:
    """Draw crossing bands, like those of a shirt or blanket."""
    bands = rng.random(8, dtype=np.float32)
    times = int(rng.choice([1, 2, 4]))
    x, y = (bands[(np.floor(axis * 8 * times) % 8).astype(int)] for axis in (_X, _Y))
    thread = (np.floor(_X * SIDE_PX) + np.floor(_Y * SIDE_PX)) % 4 < 2
    return _stack(rng, np.where(thread, x, y) * 0.5 + (x + y) * 0.25)


def draw_weave(rng: np.random.Generator) -> Map:
    """Draw woven cloth."""
    count = int(rng.choice([16, 24, 32, 48]))
    x, y = np.sin(np.pi * count * _X), np.sin(np.pi * count * _Y)
    over = (np.floor(_X * count) + np.floor(_Y * count)) % 2
    figure = np.where(over > 0, np.abs(y), np.abs(x)) * 0.7 + spectral_noise(rng, 0.5) * 0.5
    return _stack(rng, _warp(rng, figure, 1.0))


def draw_carpet(rng: np.random.Generator) -> Map:
    """Draw short pile, sometimes with a large ornament."""
    pile = spectral_noise(rng, 0.1, lowest=12)
    count = int(rng.choice([1, 2, 4]))
    ornament = np.sin(2 * np.pi * count * _X) * np.sin(2 * np.pi * count * _Y) + np.cos(4 * np.pi * count * (_X + _Y))
    figure = _smooth(-0.2, 0.2, ornament.astype(np.float32)) * rng.choice([0, 0.7]) + pile * 0.5
    return _stack(rng, figure, grain_slope=0.0)


def draw_fur(rng: np.random.Generator) -> Map:
    """Draw strands along y, with patches or stripes of another colour."""
    strands = spectral_noise(rng, 0.5, stretch=0.2, lowest=2)
    patches = _smooth(0.45, 0.55, spectral_noise(rng, 1.5, highest=10, stretch=rng.choice([0.3, 1.0])))
    out = _stack(rng, 0.6 * patches + 0.8 * (strands - 0.3))
    out[2] = strands
    return out


def draw_text(rng: np.random.Generator) -> Map:
    """Draw lines of glyph-like marks, as on print, signs and book backs."""
    lines = int(rng.choice([4, 8, 12, 16]))
    cells = lines * 16
    marks = rng.random((lines * 8, cells)) < 0.5
    words = np.repeat(rng.random((lines, cells // 4)) < 0.8, 4, axis=1)
    y, x = _Y * lines, _X * cells
    row, inside = np.floor(y).astype(int), y % 1
    glyph = marks[(np.floor(y * 8) % (lines * 8)).astype(int), np.floor(x).astype(int)]
    ink = glyph & words[row, np.floor(x).astype(int)] & (inside > 0.25) & (inside < 0.8)
    blocks = _grid(rng, 2, 2, shift=0.0, joint=0.02)[1] > 0.7
    return _stack(rng, np.where(blocks, 0.5 * spectral_noise(rng, 1.5), 1 - ink.astype(np.float32)))


def draw_dots(rng: np.random.Generator) -> Map:
    """Draw dots, regular or scattered."""
    if rng.random() < 0.5:
        count = int(rng.choice([4, 8, 12]))
        distance = np.hypot(_edge(_X * count) - 0.5, _edge(_Y * count) - 0.5) * 2
        return _stack(rng, _smooth(0.3, 0.4, distance.astype(np.float32)))
    near, _, level = _cells(rng, int(rng.integers(10, 60)))
    return _stack(rng, _smooth(0.25, 0.3, near) * 0.6 + level * 0.4)


def draw_stones(rng: np.random.Generator) -> Map:
    """Draw gravel, cobbles, rubble or cracked ground."""
    near, second, level = _cells(rng, int(rng.choice([24, 60, 150])))
    gap = _smooth(0.0, rng.uniform(0.1, 0.3), second - near)
    figure = gap * (0.3 + 0.6 * level) * (1 - 0.4 * near)
    return _stack(rng, _warp(rng, figure, 1.5), grain_slope=0.5)


def draw_grass(rng: np.random.Generator) -> Map:
    """Draw short blades with worn patches."""
    blades = spectral_noise(rng, 0.15, stretch=0.35, lowest=6)
    patches = spectral_noise(rng, 1.4)
    return _stack(rng, 0.6 * blades + 0.5 * patches, grain_slope=0.1)


def draw_foliage(rng: np.random.Generator) -> Map:
    """Draw lit and dark leaves."""
    near, _, level = _cells(rng, 150, stretch=rng.uniform(0.6, 1.6))
    leaves = (0.25 + 0.75 * level) * (1 - _smooth(0.2, 0.75, near) * 0.9)
    return _stack(rng, _warp(rng, leaves, 2.0) * (0.4 + 1.2 * spectral_noise(rng, 1.2)), grain_slope=0.2)


def draw_facade(rng: np.random.Generator) -> Map:
    """Draw rows of windows; the second channel is the panes, the third their frames and the courses."""
    rows, columns = int(rng.choice([2, 3, 4])), int(rng.choice([2, 3, 4, 6]))
    x, y = (_X * columns) % 1, (_Y * rows) % 1
    half_x, half_y = rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.4)
    off_x, off_y = np.abs(x - 0.5), np.abs(y - 0.5)
    pane = ((off_x < half_x) & (off_y < half_y)).astype(np.float32)
    frame = ((off_x < half_x + 0.05) & (off_y < half_y + 0.05)).astype(np.float32) - pane
    bar = pane * ((off_x < 0.02) | (np.abs(off_y - half_y * rng.choice([0.0, 0.4])) < 0.02))
    lit = rng.random((rows, columns), dtype=np.float32)[(_Y * rows).astype(int), (_X * columns).astype(int)]
    wall = (
        0.5
        + (spectral_noise(rng, 0.6) - 0.5) * rng.uniform(0.2, 1.0)
        + 0.15 * _grid(rng, 32, 16, shift=0.5, joint=0.006)[0]
    )
    pane = np.maximum(pane - bar, 0)
    course = (np.abs(y - 0.97) < 0.03).astype(np.float32) * rng.choice([0, 1])
    return np.stack([wall * (1 - pane), pane * (0.4 + 0.6 * lit), np.clip(frame + bar + course, 0, 1)])


def draw_scratches(rng: np.random.Generator) -> Map:
    """Draw brushed or scratched metal and concrete."""
    lines = spectral_noise(rng, 0.3, stretch=rng.choice([0.05, 1, 15]), lowest=2)
    stains = _smooth(0.5, 0.8, spectral_noise(rng, 1.2))
    return _stack(rng, 0.7 * lines + 0.4 * stains)


def draw_blossoms(rng: np.random.Generator) -> Map:
    """Draw flowers and leaves of wallpaper and curtains."""
    near, _, level = _cells(rng, int(rng.integers(8, 30)))
    petals = 0.5 + 0.5 * np.cos(near * rng.uniform(8, 20))
    return _stack(rng, _warp(rng, (petals * (near < 0.6) * (0.3 + 0.7 * level)).astype(np.float32), 4.0))


PATTERNS: dict[str, tuple[int, Draw]] = {
    "noise": (7, draw_noise),
    "plaster": (4, draw_plaster),
    "wood": (6, draw_wood),
    "marble": (3, draw_marble),
    "tiles": (5, draw_tiles),
    "checker": (2, draw_checker),
    "brick": (4, draw_brick),
    "stripes": (4, draw_stripes),
    "plaid": (3, draw_plaid),
    "weave": (4, draw_weave),
    "carpet": (4, draw_carpet),
    "fur": (4, draw_fur),
    "text": (4, draw_text),
    "dots": (3, draw_dots),
    "stones": (5, draw_stones),
    "grass": (3, draw_grass),
    "foliage": (4, draw_foliage),
    "facade": (6, draw_facade),
    "scratches": (3, draw_scratches),
    "blossoms": (3, draw_blossoms),
}
