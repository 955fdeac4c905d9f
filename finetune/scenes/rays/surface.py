"""The surface that each pixel hits: material, face, texture coordinates and normal."""

from __future__ import annotations

import torch

from ..textures.materials import MATERIAL_FIELDS
from .solids import KIND_BOX, KIND_ROUND, Solids

CAPS = 6  # faces: 0-5 of a box (axis * 2 + upper), 0 of a curved side, 6 and 7 of a round solid's lower and upper cap
_GEOMETRY = (*(f"a{k}" for k in range(9)), "kx", "ky", "kz", "hx", "hy", "hz", "q0", "q1", "q2", "kind")


def solid_table(solids: Solids) -> torch.Tensor:
    """Return the fields of each solid that shading reads, (fields, n) float32."""
    own = solids.rotation.transpose(1, 2) / solids.half[:, :, None]
    origin = -(own * solids.centre[:, None, :]).sum(2)
    geometry = torch.cat([own.reshape(-1, 9), origin, solids.half, solids.profile, solids.kind[:, None]], 1)
    material = torch.stack([solids.material[name] for name in MATERIAL_FIELDS])
    return torch.cat([geometry.float().t(), material]).contiguous()


class Surface:
    """The surface under the pixels of tiles.

    Args:
        table: The result of solid_table.
        solid: (t, n) int32, row of the solid of each pixel; -1 reads row 0.
        point: (3, t, n) float32, world.
        ray: (3, t, n) float32, world, of unit depth.

    Attributes:
        material: {field: (t, n)}.
        face: (t, n) uint8.
        u, v: (t, n) texture coordinates, metres.
        normal: (3, t, n) unit, towards the viewer.
        facing: (t, n) cosine of the angle to the viewer, times the length of the ray.
    """

    def __init__(self, table: torch.Tensor, solid: torch.Tensor, point: torch.Tensor, ray: torch.Tensor) -> None:
        at = solid.clamp(min=0).view(-1)
        columns = [column.index_select(0, at).view(solid.shape) for column in table]
        g = dict(zip(_GEOMETRY, columns, strict=False))
        self.material = dict(zip(MATERIAL_FIELDS, columns[len(_GEOMETRY) :], strict=True))
        x, y, z = (_affine(g[f"k{axis}"], columns[3 * k : 3 * k + 3], point) for k, axis in enumerate("xyz"))
        ax, ay, az = x.abs(), y.abs(), z.abs()
        box = g["kind"] == KIND_BOX
        along_x = box & (ax >= torch.maximum(ay, az))
        along_z = box & (az > torch.maximum(ax, ay))
        # The height over a flat disc is rounded by more than any fixed margin, so the face is the nearer one in metres.
        beside = torch.addcmul(x * x - (g["q0"] + (g["q1"] + g["q2"] * z) * z), y, y)
        cap = (g["kind"] == KIND_ROUND) & ((1 - az).abs() * g["hz"] < beside.abs() * g["hx"])
        flat, level = box | cap, along_z | cap
        along_y = flat & ~along_x & ~level
        across = torch.where(level, z, torch.where(along_y, y, x)) > 0
        self.face = (level.byte() * 4 + along_y.byte() * 2 + cap.byte() * 2 + across.byte()) * flat.byte()
        self.u = torch.where(flat, torch.where(along_x, y * g["hy"], x * g["hx"]), torch.atan2(x, y) * g["hx"])
        self.v = torch.where(level, y * g["hy"], z * g["hz"])
        curve = -0.5 * g["q1"] - g["q2"] * z
        gx, gy = torch.where(flat, along_x.float(), x), torch.where(flat, along_y.float(), y)
        gz = torch.where(flat, level.float(), curve)
        a = columns
        normal = torch.stack([a[k] * gx + a[3 + k] * gy + a[6 + k] * gz for k in range(3)])
        self._turn(normal, ray)

    def _turn(self, normal: torch.Tensor, ray: torch.Tensor) -> None:
        """Set the normal, scaled to unit length and turned towards the viewer."""
        scale = dot(normal, normal).clamp_(min=1e-12).rsqrt_()
        towards = dot(normal, ray)
        self.facing = towards.abs() * scale
        self.normal = normal.mul_(torch.copysign(scale, -towards))

    def roughen(self, amount: torch.Tensor, weights: torch.Tensor) -> None:
        """Tilt the normal by the texture's weights (3, t, n), as leaves, fur and plaster do."""
        bent = torch.addcmul(self.normal, weights - 0.5, amount)
        self.normal = bent.mul_(dot(bent, bent).rsqrt_())


def dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the dot product over the first axis, of (3, ...) and (3, ...)."""
    return torch.addcmul(torch.addcmul(a[0] * b[0], a[1], b[1]), a[2], b[2])


def _affine(constant: torch.Tensor, row: list[torch.Tensor], point: torch.Tensor) -> torch.Tensor:
    out = torch.addcmul(constant, row[0], point[0])
    return out.addcmul_(row[1], point[1]).addcmul_(row[2], point[2])
