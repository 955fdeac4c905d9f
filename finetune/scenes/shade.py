"""Colours of what the pixels of tiles hit: texture, lights with soft shadows, highlights, haze, sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .cast import TILE_AREA, TILE_PX, Hits, Views
from .draft import Air, Light
from .materials import FLAT
from .shadow import Shadows
from .stage import KIND_BALL, KIND_BOX, Solids
from .textures import SIDE_PX, Bank

LIGHTS = 2  # a scene
CURVED, CAPS = 0, 6  # faces: 0-5 of a box (axis * 2 + upper), 0 of a round side, 6 and 7 of its lower and upper cap

_GEOMETRY = ("cx", "cy", "cz", *(f"r{k}" for k in range(9)), "hx", "hy", "hz", "q1", "q2", "box", "cap")
Channels = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Shaded:
    """Colours of tiles.

    Args:
        colour: (3, tiles, TILE_AREA) float32, linear light.
        face: (tiles, TILE_AREA) uint8, face of the solid that is hit.
    """

    colour: torch.Tensor
    face: torch.Tensor


class Shader:
    """Shades tiles of any view of one batch of scenes."""

    def __init__(
        self,
        solids: Solids,
        shadows: Shadows,
        lights: Sequence[Sequence[Light]],
        airs: Sequence[Air],
        bank: Bank,
    ) -> None:
        self._bank, self._shadows = bank, shadows
        self._solid = _solid_table(solids)
        device = solids.scene.device
        self._light = torch.tensor(
            [[(*light.colour, float(light.fades)) for light in own] for own in lights], device=device
        )
        self._air = torch.tensor([_air_row(air) for air in airs], device=device)

    def shade(self, views: Views, hits: Hits, tiles: torch.Tensor) -> Shaded:
        """Shade some tiles.

        Args:
            views: The views that hits was cast for.
            hits: What their pixels see.
            tiles: (t,) int64, the tiles to shade.
        """
        view = views.tile_view()[tiles]
        scene = views.scene[view]
        scene_air = dict(zip(_AIR_FIELDS, self._air[scene].t()[..., None], strict=True))
        inverse, solid = hits.inverse[tiles], hits.solid[tiles]
        ray = _rays(views, tiles, view)
        length = (ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]).sqrt_()
        sky = inverse <= 0
        depth = 1 / inverse.clamp(min=1e-4)
        point = tuple(axis * depth for axis in ray)  # relative to the camera
        eye = views.position[view].float()
        surface = _Surface(self._solid, solid, point, eye, ray)
        footprint = depth * (views.rays[view][:, :, 0].norm(dim=1).float()[:, None])
        albedo = self._albedo(surface, footprint, ray, length)
        colour = self._lit(surface, albedo, point, eye, scene, scene_air, ray, length)
        colour = _in_haze(colour, scene_air, depth * length)
        if bool(sky.any()):
            above = self._sky(ray, length, scene_air)
            colour = tuple(torch.where(sky, a, c) for a, c in zip(above, colour, strict=True))
        return Shaded(torch.stack(colour), surface.face)

    def _albedo(self, surface: _Surface, footprint: torch.Tensor, ray: Channels, length: torch.Tensor) -> Channels:
        """Return the colour of the surface, from its texture and stains."""
        m = surface.material
        u, v = m["su"] * surface.u + m["ou"], m["sv"] * surface.v + m["ov"]
        slope = (surface.facing / length).clamp_(min=0.12)
        texels = footprint * (SIDE_PX * 0.8) * torch.maximum(m["su"].abs(), m["sv"].abs()) / slope
        weights = self._bank.look_up(m["slot"], u, v, texels.clamp_(min=1e-3).log2_())
        surface.roughen(m["bump"], weights)
        stains = self._stains(surface)
        return tuple(
            ((m[f"{c}0"] + m[f"{c}1"] * weights[0] + m[f"{c}2"] * weights[1] + m[f"{c}3"] * weights[2]) * stains).clamp_(0.004, 1)
            for c in "rgb"
        )  # type: ignore[return-value]

    def _stains(self, surface: _Surface) -> torch.Tensor:
        """Return a slow variation of brightness over each solid, from a texture of its own."""
        m = surface.material
        slot = torch.remainder(m["slot"] * 5, 7)
        u, v = 0.23 * surface.u + m["ov"], 0.31 * surface.v + m["ou"]
        noise = self._bank.look_up(slot, u, v, torch.full_like(u, 2.0))[1]
        return 1 + m["stain"] * (noise - 0.5) * 2

    def _lit(
        self,
        surface: _Surface,
        albedo: Channels,
        point: Channels,
        eye: torch.Tensor,
        scene: torch.Tensor,
        air: dict[str, torch.Tensor],
        ray: Channels,
        length: torch.Tensor,
    ) -> Channels:
        """Return albedo under the ambient light and both lights, with highlights and glow."""
        m, n = surface.material, surface.normal
        up = n[2] * 0.5 + 0.5
        corner = _corner_light(point, eye, air)
        diffuse = [(air[f"down_{c}"] + (air[f"up_{c}"] - air[f"down_{c}"]) * up) * corner for c in "rgb"]
        highlight: list[torch.Tensor | float] = [0.0, 0.0, 0.0]
        for k in range(LIGHTS):
            index = scene * LIGHTS + k
            away = (eye - self._shadows.views.position[index].float())
            x, y, z = (p + away[:, axis, None] for axis, p in enumerate(point))
            distance2 = (x * x + y * y + z * z).clamp_(min=0.01)
            inverse = distance2.rsqrt()
            facing = -(x * n[0] + y * n[1] + z * n[2]) * inverse
            strength = self._shadows.lit(index, x, y, z) * torch.where(self._light[scene, k, 3:] > 0, 1 / distance2, 1.0)
            ramp = torch.where(air["toon"] > 0, (facing * 2.99).ceil_() * 0.34, facing).clamp_(min=0.0)
            half = [-(a * inverse + r / length) for a, r in zip((x, y, z), ray, strict=True)]
            size = (half[0] * half[0] + half[1] * half[1] + half[2] * half[2]).clamp_(min=1e-6).rsqrt_()
            gleam = ((half[0] * n[0] + half[1] * n[1] + half[2] * n[2]) * size).clamp_(1e-3, 1)
            gleam = (gleam.log_() * m["shine"]).exp_() * m["gloss"] * (facing > 0)
            for c in range(3):
                colour = self._light[scene, k, c, None]
                diffuse[c] = torch.addcmul(diffuse[c], strength * ramp, colour)
                highlight[c] = highlight[c] + strength * gleam * colour
        plain = m["nature"] < FLAT
        return tuple(
            torch.where(plain, a * (d + m["glow"]) + h, a) for a, d, h in zip(albedo, diffuse, highlight, strict=True)
        )  # type: ignore[return-value]

    def _sky(self, ray: Channels, length: torch.Tensor, air: dict[str, torch.Tensor]) -> Channels:
        """Return the colour of the sky with its clouds."""
        height = (ray[2] / length).clamp_(min=0.0)
        spread = 0.12 / (height + 0.08) / length
        slot = air["cloud_slot"].expand_as(height)
        level = (spread * 8).log2_().clamp_(0, 4)
        weights = self._bank.look_up(slot, ray[0] * spread + air["cloud_u"], ray[1] * spread + air["cloud_v"], level)
        cover = ((weights[1] * 0.7 + weights[0] * 0.3 + air["clouds"] - 0.9) * 2.5).clamp_(0, 1) * (height * 8).clamp_(0, 1)
        light = 0.75 + 0.5 * weights[2]
        mix = height.sqrt()
        return tuple(
            (air[f"horizon_{c}"] + (air[f"zenith_{c}"] - air[f"horizon_{c}"]) * mix) * (1 - cover)
            + cover * light * air[f"cloud_{c}"]
            for c in "rgb"
        )  # type: ignore[return-value]


class _Surface:
    """Where tiles' rays hit solids: material, face, texture coordinates, normal towards the viewer."""

    def __init__(
        self, table: torch.Tensor, solid: torch.Tensor, point: Channels, eye: torch.Tensor, ray: Channels
    ) -> None:
        at = solid.clamp(min=0).view(-1)
        columns = [column.index_select(0, at).view(solid.shape) for column in table]
        g = dict(zip(_GEOMETRY, columns, strict=False))
        self.material = dict(zip(_MATERIAL, columns[len(_GEOMETRY) :], strict=True))
        x, y, z = (p + (eye[:, axis, None] - g[name]) for axis, (p, name) in enumerate(zip(point, ("cx", "cy", "cz"), strict=True)))
        own = [g[f"r{k}"] * x + g[f"r{3 + k}"] * y + g[f"r{6 + k}"] * z for k in range(3)]
        rel = [own[k] / g[f"h{axis}"] for k, axis in enumerate("xyz")]
        box = g["box"] > 0
        size = [r.abs() for r in rel]
        along_x = box & (size[0] >= size[1]) & (size[0] >= size[2])
        along_z = box & (size[2] > size[0]) & (size[2] > size[1])
        along_y = box & ~along_x & ~along_z
        cap = (g["cap"] > 0) & (size[2] > 0.9999)
        self.face = self._face(along_y, along_z | cap, cap, box, rel)
        self._unwrap(box, cap, along_x, along_z, own, g)
        grad = self._gradient(box, cap, (along_x, along_y, along_z), rel, g)
        normal = [g[f"r{3 * k}"] * grad[0] + g[f"r{3 * k + 1}"] * grad[1] + g[f"r{3 * k + 2}"] * grad[2] for k in range(3)]
        scale = (normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]).clamp_(min=1e-12).rsqrt_()
        towards = normal[0] * ray[0] + normal[1] * ray[1] + normal[2] * ray[2]
        scale = torch.where(towards > 0, -scale, scale)
        self.facing = (towards * scale).abs_()
        self.normal: Channels = (normal[0] * scale, normal[1] * scale, normal[2] * scale)

    def roughen(self, amount: torch.Tensor, weights: torch.Tensor) -> None:
        """Tilt the normal by the texture, as leaves, fur and plaster do."""
        bent = [n + amount * (w - 0.5) for n, w in zip(self.normal, weights, strict=True)]
        scale = (bent[0] * bent[0] + bent[1] * bent[1] + bent[2] * bent[2]).rsqrt_()
        self.normal = (bent[0] * scale, bent[1] * scale, bent[2] * scale)

    @staticmethod
    def _face(
        along_y: torch.Tensor, along_z: torch.Tensor, cap: torch.Tensor, box: torch.Tensor, rel: list[torch.Tensor]
    ) -> torch.Tensor:
        across = torch.where(along_z, rel[2], torch.where(along_y, rel[1], rel[0]))
        face = along_z.byte() * 4 + along_y.byte() * 2 + cap.byte() * 2 + (across > 0).byte()
        return face * (box | cap).byte()

    def _unwrap(
        self,
        box: torch.Tensor,
        cap: torch.Tensor,
        along_x: torch.Tensor,
        along_z: torch.Tensor,
        own: list[torch.Tensor],
        g: dict[str, torch.Tensor],
    ) -> None:
        """Set texture coordinates in metres: over the face of a box, around a round solid."""
        around = torch.atan2(own[0], own[1]) * g["hx"]
        flat = box | cap
        self.u = torch.where(flat, torch.where(along_x, own[1], own[0]), around)
        self.v = torch.where(along_z | cap, own[1], own[2])

    @staticmethod
    def _gradient(
        box: torch.Tensor,
        cap: torch.Tensor,
        along: Channels,
        rel: list[torch.Tensor],
        g: dict[str, torch.Tensor],
    ) -> Channels:
        """Return the direction across the surface in the solid's own frame, of any length."""
        upright = torch.where(cap, rel[2], -0.5 * g["q1"] - g["q2"] * rel[2])
        level = ~cap
        return (
            torch.where(box, along[0].float(), rel[0] * level) / g["hx"],
            torch.where(box, along[1].float(), rel[1] * level) / g["hy"],
            torch.where(box, along[2].float(), upright) / g["hz"],
        )


_MATERIAL = (
    "slot", "su", "sv", "ou", "ov", "r0", "g0", "b0", "r1", "g1", "b1", "r2", "g2", "b2", "r3", "g3", "b3",
    "gloss", "shine", "glow", "stain", "bump", "nature",
)  # fmt: skip
_AIR_FIELDS = (
    *(f"{name}_{c}" for name in ("zenith", "horizon", "cloud", "up", "down") for c in "rgb"),
    "clouds", "cloud_slot", "cloud_u", "cloud_v", "haze", "toon", "daylight",
    "low_x", "low_y", "low_z", "high_x", "high_y", "high_z",
)  # fmt: skip
_OUTSIDE_M = 0.25  # points so far outside a room are in daylight
_OUTDOORS = ((-1e4, -1e4, -1e4), (1e4, 1e4, 1e4))


def _solid_table(solids: Solids) -> torch.Tensor:
    """Return the fields that shading gathers, (fields, n) float32, in the order _GEOMETRY + _MATERIAL."""
    box = (solids.kind == KIND_BOX).float()
    cap = ((solids.kind != KIND_BOX) & (solids.kind != KIND_BALL)).float()
    geometry = torch.cat([solids.centre, solids.rotation.reshape(-1, 9), solids.half, solids.profile[:, 1:]], 1).float()
    material = torch.stack([solids.material[name] for name in _MATERIAL])
    return torch.cat([geometry.t(), box[None], cap[None], material]).contiguous()


def _air_row(air: Air) -> list[float]:
    low, high = air.corner or _OUTDOORS
    cloud = [0.35 * z + 0.65 * max(air.horizon) for z in air.horizon]
    colours = [*air.zenith, *air.horizon, *cloud, *air.ambient_up, *air.ambient_down]
    return [*colours, air.clouds, air.cloud_slot, *air.cloud_shift, air.haze_per_m, float(air.toon), air.daylight, *low, *high]


def _rays(views: Views, tiles: torch.Tensor, view: torch.Tensor) -> Channels:
    """Return the world direction of the pixels of tiles, of unit depth."""
    corner_u, corner_v = views.tile_corner()
    at = tiles % len(corner_u)
    first = views.rays[view]
    start = (first[:, :, 0] * corner_u[at][:, None] + first[:, :, 1] * corner_v[at][:, None] + first[:, :, 2]).float()
    step_u, step_v = first[:, :, 0].float(), first[:, :, 1].float()
    pixel = torch.arange(TILE_AREA, device=tiles.device)
    u, v = (pixel % TILE_PX).float(), (pixel // TILE_PX).float()
    return tuple(start[:, k, None] + step_u[:, k, None] * u + step_v[:, k, None] * v for k in range(3))  # type: ignore[return-value]


def _corner_light(point: Channels, eye: torch.Tensor, air: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the share of ambient light that reaches the corners and edges of a room."""
    light: torch.Tensor | float = 1.0
    outside: torch.Tensor | bool = False
    for k, axis in enumerate("xyz"):
        at = point[k] + eye[:, k, None]
        for gap in (at - air[f"low_{axis}"], air[f"high_{axis}"] - at):
            outside = outside | (gap < -_OUTSIDE_M)
            light = light * (1 - 0.4 * (gap.clamp(min=0.0) * -2.5).exp_())
    return torch.where(torch.as_tensor(outside), air["daylight"], light)


def _in_haze(colour: Channels, air: dict[str, torch.Tensor], distance: torch.Tensor) -> Channels:
    clear = (distance * -air["haze"]).exp_()
    return tuple(
        air[f"horizon_{c}"] + (own - air[f"horizon_{c}"]) * clear for c, own in zip("rgb", colour, strict=True)
    )  # type: ignore[return-value]
