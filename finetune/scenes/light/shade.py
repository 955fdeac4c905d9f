"""Shades the pixels of tiles: texture, lights with soft shadows, highlights, haze, sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..draft import Air, Light
from ..rays.cast import Hits
from ..rays.solids import Solids
from ..rays.surface import Surface, dot, solid_table
from ..rays.views import Views, tile_pixels
from ..textures.materials import FLAT
from ..textures.patterns import SIDE_PX
from ..textures.textures import Bank
from .shadow import Shadows

_OUTSIDE_M = 0.25  # points farther outside a room are in daylight
_CORNER_M = 0.5  # distance from a wall at which the darkness of a corner is halved
_COLOURS = ("zenith", "horizon", "cloud", "up", "down")
_NUMBERS = ("clouds", "cloud_slot", "cloud_u", "cloud_v", "haze", "toon", "daylight", "indoors")


@dataclass(frozen=True, slots=True)
class Shaded:
    """Colours of tiles.

    Args:
        colour: (3, tiles, n) float32, linear light.
        face: (tiles, n) uint8, face of the solid that is hit.
    """

    colour: torch.Tensor
    face: torch.Tensor


class _AirRows:
    """Air of tiles that are shaded together: (3, t, 1) colours, (t, 1) numbers."""

    def __init__(self, rows: torch.Tensor) -> None:
        columns = rows.t()[..., None]
        self.colour = {name: columns[3 * k : 3 * k + 3] for k, name in enumerate(_COLOURS)}
        start = 3 * len(_COLOURS)
        self.number = {name: columns[start + k] for k, name in enumerate(_NUMBERS)}
        start += len(_NUMBERS)
        self.low, self.high = columns[start : start + 3], columns[start + 3 : start + 6]


class Shader:
    """Shades tiles of any view of a batch of scenes.

    Args:
        solids: The table of solids.
        shadows: Shadow maps of the first light of every scene, then of the second.
        lights: Both lights of each scene.
        airs: Air of each scene.
        bank: Textures.
    """

    def __init__(
        self,
        solids: Solids,
        shadows: Sequence[Shadows],
        lights: Sequence[Sequence[Light]],
        airs: Sequence[Air],
        bank: Bank,
    ) -> None:
        self._bank, self._shadows = bank, shadows
        self._solid = solid_table(solids)
        device = solids.scene.device
        colours = [[light.colour for light in own] for own in lights]
        self._light = torch.tensor(colours, device=device)  # (b, lights, 3)
        self._fades = torch.tensor([[float(light.fades) for light in own] for own in lights], device=device)
        self._air = torch.tensor([_air_row(air) for air in airs], device=device)
        self._toon = any(air.toon for air in airs)

    def shade(self, views: Views, hits: Hits, tiles: torch.Tensor) -> Shaded:
        """Shade some tiles.

        Args:
            views: The views that `hits` was cast for.
            hits: Nearest solid of each of their pixels.
            tiles: (t,) int64, the tiles to shade.
        """
        view = views.tile_view()[tiles]
        scene = views.scene[view]
        air = _AirRows(self._air.index_select(0, scene))
        inverse, solid = hits.inverse.index_select(0, tiles), hits.solid.index_select(0, tiles)
        ray = _rays(views, tiles, view)
        length = dot(ray, ray).sqrt_()
        depth = 1 / inverse.clamp(min=1e-4)
        point = torch.addcmul(views.position[view].float().t()[..., None], ray, depth)
        surface = Surface(self._solid, solid, point, ray)
        footprint = depth * views.rays[view][:, :, 0].norm(dim=1).float()[:, None]
        albedo = self._albedo(surface, footprint, length)
        colour = self._lit(surface, albedo, point, ray / length, scene, air)
        if bool((air.number["haze"] > 0).any()):
            clear = (depth * length * -air.number["haze"]).exp_()
            colour = torch.lerp(air.colour["horizon"], colour, clear)
        return Shaded(colour, surface.face)

    def shade_sky(self, views: Views, tiles: torch.Tensor) -> torch.Tensor:
        """Return the colour of the sky in tiles, (3, t, n)."""
        view = views.tile_view()[tiles]
        ray = _rays(views, tiles, view)
        return self._sky(ray * dot(ray, ray).rsqrt_(), _AirRows(self._air.index_select(0, views.scene[view])))

    def _albedo(self, surface: Surface, footprint: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        """Return the colour of the surface from its texture and stains, (3, t, n)."""
        m = surface.material
        u, v = torch.addcmul(m["ou"], m["su"], surface.u), torch.addcmul(m["ov"], m["sv"], surface.v)
        slope = (surface.facing / length).clamp_(min=0.12)
        texels = (footprint * (SIDE_PX * 0.8)).mul_(torch.maximum(m["su"].abs(), m["sv"].abs())).div_(slope)
        weights = self._bank.look_up(m["slot"], u, v, texels.clamp_(min=1e-3).log2_())
        surface.roughen(m["bump"], weights)
        stains = self._bank.stains(m["slot"], surface.u + m["ov"], surface.v + m["ou"])
        stains = torch.addcmul(torch.ones_like(stains), stains, m["stain"])
        colour = torch.stack([m["r0"], m["g0"], m["b0"]])
        for k in range(3):
            for c, own in enumerate("rgb"):
                colour[c].addcmul_(m[f"{own}{k + 1}"], weights[k])
        return colour.mul_(stains).clamp_(0.004, 1)

    def _lit(
        self,
        surface: Surface,
        albedo: torch.Tensor,
        point: torch.Tensor,
        ray: torch.Tensor,
        scene: torch.Tensor,
        air: _AirRows,
    ) -> torch.Tensor:
        """Return the albedo in ambient light and both lights, with highlights and glow; `ray` has unit length."""
        m, n = surface.material, surface.normal
        diffuse = torch.lerp(air.colour["down"], air.colour["up"], n[2] * 0.5 + 0.5)
        if bool((air.number["indoors"] > 0).any()):
            diffuse = diffuse.mul_(_corner_light(point, air))
        highlight = torch.zeros_like(albedo)
        mirrored = torch.addcmul(ray, n, dot(n, ray) * -2)
        for k, shadows in enumerate(self._shadows):
            light = shadows.views.position[scene].float().t()[..., None] - point  # (3, t, n)
            inverse = dot(light, light).clamp_(min=0.01).rsqrt_()
            light *= inverse
            fades = self._fades[scene, k, None]
            strength = torch.addcmul(1 - fades, inverse * fades, inverse) * shadows.lit(scene, point)
            facing = dot(light, n)
            gleam = dot(light, mirrored).clamp_(0, 1) * (facing > 0)
            gleam = gleam * m["gloss"] / (m["shine"] * (1 - gleam) + gleam)  # Source: Schlick, Graphics Gems IV, VI.1
            ramp = (facing * 2.99).ceil_().mul_(0.34) if self._toon else facing
            ramp = torch.where(air.number["toon"] > 0, ramp, facing) if self._toon else ramp
            colour = self._light[scene, k].t()[..., None]
            diffuse.addcmul_(ramp.clamp_(min=0).mul_(strength), colour)
            highlight.addcmul_(gleam.mul_(strength), colour)
        shaded = highlight.addcmul_(albedo, diffuse.add_(m["glow"]))
        return torch.where(m["nature"] < FLAT, shaded, albedo)

    def _sky(self, ray: torch.Tensor, air: _AirRows) -> torch.Tensor:
        """Return the colour of the sky with clouds; `ray` has unit length."""
        height = ray[2].clamp(min=0.0)
        spread = 0.08 / (height + 0.06)
        number, colour = air.number, air.colour
        slot = number["cloud_slot"].expand_as(height)
        level = (spread * 8).log2_().clamp_(0, 4)
        weights = self._bank.look_up(
            slot, ray[0] * spread + number["cloud_u"], ray[1] * spread + number["cloud_v"], level
        )
        cover = (weights[1] * 0.9).add_(weights[0] * 0.2).add_(number["clouds"] - 0.85).mul_(4).clamp_(0, 1)
        cover *= (height * 8).clamp_(0, 1)
        above = torch.lerp(colour["horizon"], colour["zenith"], height.sqrt())
        return torch.lerp(above, colour["cloud"] * (0.75 + 0.5 * weights[2]), cover)


def _air_row(air: Air) -> list[float]:
    low, high = air.corner or ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    cloud = [0.35 * z + 0.65 * max(air.horizon) for z in air.horizon]
    colours = [*air.zenith, *air.horizon, *cloud, *air.ambient_up, *air.ambient_down]
    numbers = [
        air.clouds,
        air.cloud_slot,
        *air.cloud_shift,
        air.haze_per_m,
        air.toon,
        air.daylight,
        air.corner is not None,
    ]
    return [*colours, *(float(number) for number in numbers), *low, *high]


def _rays(views: Views, tiles: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
    """Return the rays of the pixels of tiles in the world, of unit depth, (3, t, n) float32."""
    corner_u, corner_v = views.tile_corner()
    at = tiles % len(corner_u)
    step_u, step_v, first = views.rays[view].unbind(2)
    start = first + step_u * corner_u[at][:, None] + step_v * corner_v[at][:, None]
    u, v = tile_pixels(tiles.device)
    out = start.t()[..., None].float() + step_u.t()[..., None].float() * u
    return out.add_(step_v.t()[..., None].float() * v)


def _corner_light(point: torch.Tensor, air: _AirRows) -> torch.Tensor:
    """Return the factor of ambient light: less in the corners and edges of a room, daylight outside the room."""
    gap = torch.minimum(point - air.low, air.high - point)
    dark = 0.5 / (1 + (gap.clamp(min=0.0) * (1 / _CORNER_M)).square_())
    inside = (1 - dark[0]) * (1 - dark[1]) * (1 - dark[2])
    nearest = torch.minimum(torch.minimum(gap[0], gap[1]), gap[2])
    light = torch.where(nearest < -_OUTSIDE_M, air.number["daylight"], inside)
    return torch.where(air.number["indoors"] > 0, light, 1.0)
