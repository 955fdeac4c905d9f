"""Renders a batch of scenes together: cast, shade, reflect, expose."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .draft import Draft
from .light.expose import expose
from .light.shade import Shader
from .light.shadow import SIDES_PX, cast_shadows
from .rays.camera import Cameras, camera_views, mirrored_views
from .rays.cast import Hits, cast
from .rays.exact import FACES, exact_depth
from .rays.solids import gather_solids, gather_windows
from .rays.surface import CAPS
from .rays.views import TILE_PX, Views
from .scene import Scenes
from .textures.materials import ART, MIRROR
from .textures.textures import Bank

_SHADE_TILES = {"cpu": 1024, "cuda": 1 << 16}  # tiles shaded together
_ACROSS = 1  # axis of a mirror or picture that is normal to its glass or canvas


class DrawnBatch:
    """Scenes that are rendered together.

    Args:
        drafts: Draft of each scene.
        cameras: Camera of each scene, on the device that renders.
        size_px: (h, w) of the images.
        bank: Textures, on the same device.
    """

    def __init__(self, drafts: Sequence[Draft], cameras: Cameras, size_px: tuple[int, int], bank: Bank) -> None:
        self._cameras, self._size = cameras, size_px
        device = str(cameras.position.device)
        self._solids = gather_solids(drafts, device)
        self._windows = gather_windows(drafts, device)
        self._airs = [draft.air for draft in drafts]
        lights = [draft.lights for draft in drafts]
        shadows = [
            cast_shadows(self._solids, own, side, device)
            for own, side in zip(zip(*lights, strict=True), SIDES_PX, strict=True)
        ]
        self._shader = Shader(self._solids, shadows, lights, self._airs, bank)

    def render(self, seeds: tuple[int, ...], settings: tuple[str, ...], samples: int) -> Scenes:
        """Render the batch.

        Args:
            seeds, settings: Of each scene; copied into the result.
            samples: Rays per pixel for the image, a square number.
        """
        views = camera_views(self._cameras, *self._size)
        hits = cast(self._solids, views)
        colour, face = self._colours(views, hits)
        depth = exact_depth(self._solids, views, hits, face)
        solid = self._image(hits.solid)
        linear = self._sampled(samples) if samples > 1 else self._image(colour).transpose(0, 1)
        image = expose(linear, self._airs, None if samples > 1 else solid)
        at = solid.clamp(min=0).view(-1)
        nature = self._solids.material["nature"].index_select(0, at).view(solid.shape)
        nature.masked_fill_(solid < 0, -1.0)
        first = self._solids.first[:-1, None, None].int()
        plane, front = self._image(depth.plane), self._image(_is_front(face))  # excludes rims
        return Scenes(
            image=image,
            depth_m=self._image(depth.depth_m),
            valid=solid >= 0,
            mirror=(nature == MIRROR) & front,
            art=(nature == ART) & front,
            window=self._image(cast(self._windows, views).inverse > hits.inverse),
            sky=solid < 0,
            thing=self._solids.thing.int().index_select(0, at).view(solid.shape).masked_fill_(solid < 0, -1),
            plane=torch.where(plane >= 0, plane - first * FACES, -1),
            planes=self._planes(depth.planes),
            intrinsics=self._intrinsics(),
            cameras=self._cameras,
            seeds=seeds,
            settings=settings,
        )

    def _colours(self, views: Views, hits: Hits) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the colour (3, tiles, TILE_AREA) and the face of every pixel, with reflections in mirrors."""
        colour, face = self._shaded(views, hits, torch.arange(views.tiles, device=hits.solid.device))
        mirrors = self._mirrors_seen(hits)
        if len(mirrors):
            self._reflect(views, hits, face, mirrors, colour)
        return colour, face

    def _mirrors_seen(self, hits: Hits) -> torch.Tensor:
        """Return the rows of the mirrors that are seen by any pixel."""
        mirrors = self._solids.mirrors
        if not len(mirrors):
            return mirrors
        seen = torch.zeros(len(self._solids.scene) + 1, dtype=torch.bool, device=mirrors.device)
        seen[hits.solid.view(-1).long()] = True  # -1, the sky, is the last place
        return mirrors[seen[mirrors]]

    def _reflect(
        self, views: Views, hits: Hits, face: torch.Tensor, mirrors: torch.Tensor, colour: torch.Tensor
    ) -> None:
        """Write reflections into `colour`."""
        behind = mirrored_views(views, self._solids, mirrors)
        area = views.grid[0] * views.grid[1]
        tiles = (behind.scene[:, None] * area + torch.arange(area, device=mirrors.device)).view(-1)
        seen = hits.solid.index_select(0, tiles) == mirrors.repeat_interleave(area)[:, None]
        seen &= _is_front(face.index_select(0, tiles))
        limit = torch.where(seen, hits.inverse.index_select(0, tiles), 0.0)
        reflected = cast(self._solids, behind, limit=limit)
        wanted = seen.any(1).nonzero()[:, 0]
        shown, _ = self._shaded(behind, reflected, wanted)
        tint = torch.stack([self._solids.material[f"{c}0"][mirrors] for c in "rgb"])
        shown = shown * tint.repeat_interleave(area, 1)[:, wanted, None]
        target, seen = tiles[wanted], seen[wanted]
        for own, other in zip(colour, shown, strict=True):
            own.index_copy_(0, target, torch.where(seen, other, own.index_select(0, target)))

    def _shaded(self, views: Views, hits: Hits, tiles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the colour (3, t, TILE_AREA) and the face of tiles, with solids and sky each shaded where present."""
        chunk = _SHADE_TILES[tiles.device.type]
        nothing = hits.solid.index_select(0, tiles) < 0
        colour = torch.zeros((3, *nothing.shape), device=tiles.device)
        face = torch.zeros(nothing.shape, dtype=torch.uint8, device=tiles.device)
        for part in (~nothing.all(1)).nonzero()[:, 0].split(chunk):
            shaded = self._shader.shade(views, hits, tiles[part])
            face.index_copy_(0, part, shaded.face)
            for own, other in zip(colour, shaded.colour, strict=True):
                own.index_copy_(0, part, other)
        for part in nothing.any(1).nonzero()[:, 0].split(chunk):
            above, sky = self._shader.shade_sky(views, tiles[part]), nothing.index_select(0, part)
            for own, other in zip(colour, above, strict=True):
                own.index_copy_(0, part, torch.where(sky, other, own.index_select(0, part)))
        return colour, face

    def _sampled(self, samples: int) -> torch.Tensor:
        """Return the mean colour of several rays a pixel, (b, 3, h, w)."""
        side = round(samples**0.5)
        total: torch.Tensor | float = 0.0
        for k in range(samples):
            shift = ((k % side + 0.5) / side - 0.5, (k // side + 0.5) / side - 0.5)
            views = camera_views(self._cameras, *self._size, shift_px=shift)
            total = total + self._colours(views, cast(self._solids, views))[0]
        return self._image(torch.as_tensor(total) / samples).transpose(0, 1)

    def _image(self, tiles: torch.Tensor) -> torch.Tensor:
        """Return (..., tiles, TILE_AREA) as (..., b, h, w)."""
        height, width = self._size
        down, across = -(-height // TILE_PX), -(-width // TILE_PX)
        leading = tiles.shape[:-2]
        split = tiles.view(*leading, -1, down, across, TILE_PX, TILE_PX).transpose(-3, -2)
        return split.reshape(*leading, -1, down * TILE_PX, across * TILE_PX)[..., :height, :width].contiguous()

    def _planes(self, planes: torch.Tensor) -> torch.Tensor:
        """Return the planes of all scenes, padded to the same number of rows, (b, p, 3)."""
        counts = ((self._solids.first[1:] - self._solids.first[:-1]) * FACES).tolist()
        return torch.nn.utils.rnn.pad_sequence(list(planes.split(counts)), batch_first=True)

    def _intrinsics(self) -> torch.Tensor:
        height, width = self._size
        focal = self._cameras.focal_px(height, width)
        centre = focal.new_tensor([(width - 1) / 2, (height - 1) / 2]).expand(len(focal), 2)
        return torch.cat([focal[:, None], focal[:, None], centre], 1)


def _is_front(face: torch.Tensor) -> torch.Tensor:
    """Return which faces are the glass or canvas, not the rim, if the solid is a mirror or a picture."""
    return (face // 2 == _ACROSS) | (face >= CAPS)
