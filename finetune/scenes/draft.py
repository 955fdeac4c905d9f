"""A scene while it is drawn: solids in nested frames, lights, camera, air; plain Python numbers, z up, metres."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random

from .frames import IDENTITY, WORLD, Frame, Rotation, Vector, between, product, profile_of, turned
from .textures.materials import Material

BOX, BALL, ROUND, LACE = 0.0, 1.0, 2.0, 3.0  # kinds of solid; lace is a ball with holes, like foliage
THING = 20  # column of the instance in a row of solids
_CLEAR_M = 0.15  # movable things are at least so far from the camera


@dataclass(slots=True)
class Light:
    """A point light with a shadow map; the sun is a point far away.

    Args:
        position, target: World, metres; the shadow map looks from the position to the target.
        reach_rad: Half the angle of view of the shadow map.
        colour: Linear RGB times strength, at 1 m if the light fades, else everywhere.
        fades: Whether the light falls with the square of the distance.
        softness_px: Standard deviation of the blur of the shadow map's edges.
    """

    position: Vector
    target: Vector
    reach_rad: float
    colour: Vector
    fades: bool
    softness_px: float


@dataclass(slots=True)
class Air:
    """The surroundings of the solids: sky, ambient light, haze, exposure.

    Args:
        zenith, horizon: Colours of the sky, linear RGB.
        clouds: Share of the sky under clouds, 0 to 1.
        cloud_slot: Texture of the clouds.
        cloud_shift: Offset of that texture.
        ambient_up, ambient_down: Light on faces that look up and down.
        haze_per_m: Share of light lost to haze per metre.
        corner: (low xyz, high xyz) of the room, whose corners are darker; None outdoors.
        daylight: Ambient light outside the room over that inside.
        key: Mean brightness of the exposed image; dark scenes have less.
        toon: Whether shading is cut into flat steps.
    """

    zenith: Vector = (0.25, 0.45, 0.9)
    horizon: Vector = (0.7, 0.8, 0.95)
    clouds: float = 0.4
    cloud_slot: int = 0
    cloud_shift: tuple[float, float] = (0.0, 0.0)
    ambient_up: Vector = (0.5, 0.5, 0.5)
    ambient_down: Vector = (0.25, 0.25, 0.25)
    haze_per_m: float = 0.0
    corner: tuple[Vector, Vector] | None = None
    daylight: float = 1.0
    key: float = 0.18
    toon: bool = False


@dataclass(slots=True)
class Eye:
    """The camera.

    Args:
        position: World, metres.
        yaw_rad: Rotation about z; 0 looks along +y, positive to the left.
        pitch_rad: Positive looks up.
        roll_rad: Positive rotates the image clockwise.
        fov_rad: Angle of view of the image's longer side.
    """

    position: Vector = (0.0, 0.0, 1.6)
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    roll_rad: float = 0.0
    fov_rad: float = 1.0


@dataclass(slots=True)
class Draft:
    """Solids, lights, air and camera of a scene; objects are drawn into its current frame."""

    rng: Random
    solids: list[tuple[float, ...]] = field(default_factory=list)
    windows: list[tuple[float, ...]] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    air: Air = field(default_factory=Air)
    eye: Eye = field(default_factory=Eye)
    thing: int = 0  # instance of the solids that follow
    _frame: Frame = WORLD

    @contextmanager
    def at(
        self,
        x: float,
        y: float,
        z: float,
        *,
        yaw: float = 0.0,
        lean: float = 0.0,
        scale: float = 1.0,
        same: bool = False,
    ) -> Iterator[None]:
        """Draw into a frame at (x, y, z), rotated by yaw about z and then by lean about its x axis.

        Args:
            x, y, z: Origin, in the outer frame.
            yaw, lean: Radians.
            scale: Of lengths, over the outer frame's.
            same: Whether the solids drawn here belong to the current instance; if not, a new instance begins.
        """
        outer, self._frame = self._frame, self._inner((x, y, z), yaw, lean, scale)
        if not same:
            self.thing += 1
        try:
            yield
        finally:
            self._frame = outer

    def place(self, x: float, y: float, z: float) -> Vector:
        """Return a point of the current frame in the world."""
        f, s = self._frame, self._frame.scale
        moved = turned(f.rotation, (x * s, y * s, z * s))
        return (f.origin[0] + moved[0], f.origin[1] + moved[1], f.origin[2] + moved[2])

    def box(self, x: float, y: float, z: float, w: float, d: float, h: float, material: Material) -> None:
        """Add a box whose base is centred at (x, y, z); w along x, d along y, h up."""
        half = (w / 2, d / 2, h / 2)
        self._add(BOX, (x, y, z + h / 2), IDENTITY, half, (0.0, 0.0, 0.0), material)

    def ball(self, x: float, y: float, z: float, rx: float, ry: float, rz: float, material: Material) -> None:
        """Add an ellipsoid centred at (x, y, z)."""
        self._add(BALL, (x, y, z), IDENTITY, (rx, ry, rz), (1.0, 0.0, -1.0), material)

    def lace(
        self, x: float, y: float, z: float, rx: float, ry: float, rz: float, material: Material, *, waves: float
    ) -> None:
        """Add an ellipsoid with holes, like foliage; `waves` is the phase of the holes over half its size [rad]."""
        self._add(LACE, (x, y, z), IDENTITY, (rx, ry, rz), (1.0, 0.0, -1.0), material, opening=waves)

    def tube(
        self,
        x: float,
        y: float,
        z: float,
        r: float,
        h: float,
        material: Material,
        *,
        top: float | None = None,
        bulge: float = 0.0,
        hollow: bool = False,
    ) -> None:
        """Add a round solid standing at (x, y, z).

        Args:
            r: Radius at the base.
            h: Height.
            material: Of the whole surface.
            top: Radius at the top; None for the radius at the base.
            bulge: Radius at half height over the mean radius, minus 1; negative makes a waist.
            hollow: Whether it is open at the top, like a cup.
        """
        profile, widest = profile_of(r, r if top is None else top, bulge)
        self._add(ROUND, (x, y, z + h / 2), IDENTITY, (widest, widest, h / 2), profile, material, opening=float(hollow))

    def bar(self, start: Vector, end: Vector, r: float, material: Material, *, top: float | None = None) -> None:
        """Add a round bar from start (radius r) to end (radius top, or r if that is None)."""
        profile, widest = profile_of(r, r if top is None else top, 0.0)
        middle, turn, length = between(start, end)
        self._add(ROUND, middle, turn, (widest, widest, length / 2), profile, material)

    def limb(self, start: Vector, end: Vector, r: float, material: Material, *, bulge: float = 1.0) -> None:
        """Add an ellipsoid whose long axis runs from start to end, with radii r and r * bulge across."""
        middle, turn, length = between(start, end)
        self._add(BALL, middle, turn, (r, r * bulge, length / 2), (1.0, 0.0, -1.0), material)

    def window(self, x: float, y: float, z: float, w: float, d: float, h: float) -> None:
        """Mark an opening through which the outside is seen, as a thin box."""
        at, s = self.place(x, y, z + h / 2), self._frame.scale / 2
        self.windows.append((BOX, *at, *self._frame.rotation, w * s, d * s, h * s, 0.0, 0.0, 0.0, 0.0, -1.0))

    def _add(
        self,
        kind: float,
        at: Vector,
        turn: Rotation,
        half: Vector,
        profile: Vector,
        material: Material,
        *,
        opening: float = 0.0,
    ) -> None:
        frame = self._frame
        rotation = frame.rotation if turn is IDENTITY else product(frame.rotation, turn)
        s = frame.scale
        size = (half[0] * s, half[1] * s, half[2] * s)
        self.solids.append((kind, *self.place(*at), *rotation, *size, *profile, opening, float(self.thing), *material))

    def _inner(self, at: Vector, yaw: float, lean: float, scale: float) -> Frame:
        c, s = math.cos(yaw), math.sin(yaw)
        turn: Rotation = (c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)
        if lean:
            c, s = math.cos(lean), math.sin(lean)
            turn = product(turn, (1.0, 0.0, 0.0, 0.0, c, -s, 0.0, s, c))
        return Frame(self.place(*at), product(self._frame.rotation, turn), self._frame.scale * scale)


def eye_rotation(eye: Eye) -> Rotation:
    """Return the rotation world from camera of an eye; cameras have x right, y down, z forward."""
    cy, sy, cp, sp = math.cos(eye.yaw_rad), math.sin(eye.yaw_rad), math.cos(eye.pitch_rad), math.sin(eye.pitch_rad)
    forward = (-sy * cp, cy * cp, sp)
    right = (cy, sy, 0.0)
    down = (-sy * sp, cy * sp, -cp)
    c, s = math.cos(eye.roll_rad), math.sin(eye.roll_rad)
    x = tuple(c * r + s * d for r, d in zip(right, down, strict=True))
    y = tuple(c * d - s * r for r, d in zip(right, down, strict=True))
    return tuple(value for row in zip(x, y, forward, strict=True) for value in row)


def clear_view(draft: Draft) -> None:
    """Remove things that are too close to the camera; the room, instance 0, stays."""
    eye = draft.eye.position
    close = {row[THING] for row in draft.solids if row[THING] > 0 and _gap(row, eye) < _CLEAR_M}
    draft.solids[:] = [row for row in draft.solids if row[THING] not in close]


def _gap(row: tuple[float, ...], point: Vector) -> float:
    """Return the distance from a point to the bounding box of a solid."""
    x, y, z = (p - c for p, c in zip(point, row[1:4], strict=True))
    total = 0.0
    for k in range(3):
        outside = abs(row[4 + k] * x + row[7 + k] * y + row[10 + k] * z) - row[13 + k]
        if outside > 0:
            total += outside * outside
    return math.sqrt(total)


def look_at(eye: Eye, target: Vector) -> Eye:
    """Return the eye, rotated so that the target is in the middle of the image."""
    dx, dy, dz = (t - p for t, p in zip(target, eye.position, strict=True))
    return replace(eye, yaw_rad=math.atan2(-dx, dy), pitch_rad=math.atan2(dz, math.hypot(dx, dy)))
