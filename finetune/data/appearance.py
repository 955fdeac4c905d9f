"""Varies the appearance of images as cameras do: exposure, colour, blur, noise, scaling, JPEG; depth is unchanged."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ...engine.errors import InputError

_LUMA = (0.299, 0.587, 0.114)  # Source: ITU-R BT.601, the weights JPEG uses
_KERNEL_PX = 9  # side of blur kernels


@dataclass(frozen=True, slots=True)
class Appearance:
    """Strength of each change: its probability, or its largest deviation.

    Args:
        exposure_stops: Brightness, in doublings.
        gamma: Log2 of the exponent of the tone curve.
        contrast, saturation: Share gained or lost.
        white_balance: Share gained or lost by red and blue.
        hue_turns: Rotation of the hues, in turns.
        vignette: Share of light lost in the corners.
        blur_px: Standard deviation of a Gaussian blur. blur: its probability.
        motion_px: Length of a motion blur. motion: its probability.
        defocus: Probability of a blur that grows with the distance from a focus depth (needs depth).
        noise: Standard deviation of the noise at mid grey, as a share of white.
        grey: Probability that the image loses its colour.
        rescale: Probability that the image is reduced and enlarged again. least_scale: smallest factor.
        jpeg: Probability of JPEG compression. least_quality: lowest quality.
        sharpen: Probability of too strong sharpening.
    """

    exposure_stops: float = 0.5
    gamma: float = 0.4
    contrast: float = 0.25
    saturation: float = 0.5
    white_balance: float = 0.2
    hue_turns: float = 0.04
    vignette: float = 0.4
    blur: float = 0.35
    blur_px: float = 1.5
    motion: float = 0.1
    motion_px: float = 7.0
    defocus: float = 0.15
    noise: float = 0.05
    grey: float = 0.04
    rescale: float = 0.25
    least_scale: float = 0.4
    jpeg: float = 0.5
    least_quality: int = 25
    sharpen: float = 0.15

    def milder(self, share: float) -> Appearance:
        """Return strengths and probabilities times `share`; 0 changes nothing."""
        weaker = {name: value * share for name, value in asdict(self).items() if not name.startswith("least_")}
        return replace(self, **weaker)


def vary_appearance(
    image: torch.Tensor,
    generator: torch.Generator,
    *,
    depth_m: torch.Tensor | None = None,
    strength: Appearance = Appearance(),
) -> torch.Tensor:
    """Return images as other cameras would have taken them.

    Args:
        image: (b, 3, h, w) float32, RGB, sRGB in [0, 1]; not changed.
        generator: Random numbers, on the images' device; the same state gives the same result.
        depth_m: (b, h, w) float32, metres, 0 for the sky and unknown depth; read for the defocus blur only.
        strength: Strength of each change.

    Returns:
        (b, 3, h, w) float32 in [0, 1].

    Raises:
        InputError: `image` is not (b, 3, h, w) floats.
    """
    if image.ndim != 4 or image.shape[1] != 3 or not image.is_floating_point():
        raise InputError(f"image is {tuple(image.shape)} {image.dtype}, expected (b, 3, h, w) floats in [0, 1]")
    draw = _Draw(generator, len(image), image.device)
    x = image
    if depth_m is not None:
        x = _defocused(x, depth_m, draw, strength)
    x = _graded(x, draw, strength)
    x = _vignetted(x, draw, strength)
    x = _blurred(x, draw, strength)
    x = _rescaled(x, draw, strength)
    x = _sharpened(x, draw, strength)
    x = _noisy(x, draw, strength)
    return _through_jpeg(x.clamp_(0, 1), draw, strength)


class _Draw:
    """Draws a random number for each image, in a shape that broadcasts over images."""

    def __init__(self, generator: torch.Generator, count: int, device: torch.device) -> None:
        self.generator, self._count, self._device = generator, count, device

    def uniform(self, low: float, high: float) -> torch.Tensor:
        """Return (b, 1, 1, 1) in [low, high)."""
        share = torch.rand((self._count, 1, 1, 1), generator=self.generator, device=self._device)
        return low + (high - low) * share

    def chance(self, probability: float) -> torch.Tensor:
        """Return (b, 1, 1, 1) bool."""
        return self.uniform(0, 1) < probability

    def noise_like(self, x: torch.Tensor) -> torch.Tensor:
        """Return normal noise of the shape of x."""
        return torch.randn(x.shape, generator=self.generator, device=self._device)


def _chosen(chance: torch.Tensor) -> torch.Tensor:
    """Return the indices of the images for which a draw is true."""
    return chance.view(-1).nonzero()[:, 0]


def _graded(x: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    """Change exposure, white balance, tone curve, contrast, hue and saturation."""
    gain = 2 ** draw.uniform(-s.exposure_stops, s.exposure_stops)
    balance = torch.cat(
        [
            draw.uniform(1 - s.white_balance, 1 + s.white_balance),
            torch.ones_like(gain),
            draw.uniform(1 - s.white_balance, 1 + s.white_balance),
        ],
        1,
    )
    x = (x * (gain * balance) ** (1 / 2.2)).clamp_(1e-4, 1)
    x = x.pow_(2 ** draw.uniform(-s.gamma, s.gamma))
    x = (x - 0.5) * draw.uniform(1 - s.contrast, 1 + s.contrast) + 0.5
    saturation = draw.uniform(1 - s.saturation, 1 + s.saturation) * ~draw.chance(s.grey)
    return _mixed(x, saturation, draw.uniform(-s.hue_turns, s.hue_turns) * (2 * math.pi)).clamp_(0, 1)


def _mixed(x: torch.Tensor, saturation: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Scale and rotate the colour of each pixel around its grey."""
    grey = _grey(x)
    colour = x - grey
    c, s = saturation * angle.cos(), saturation * angle.sin() / 3**0.5
    across = torch.roll(colour, 1, 1) - torch.roll(colour, -1, 1)  # the cross product with (1, 1, 1)
    return grey + c * colour + s * across


def _grey(x: torch.Tensor) -> torch.Tensor:
    return _LUMA[0] * x[:, :1] + _LUMA[1] * x[:, 1:2] + _LUMA[2] * x[:, 2:]


def _vignetted(x: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    height, width = x.shape[-2:]
    v = torch.linspace(-1, 1, height, device=x.device)[:, None]
    u = torch.linspace(-1, 1, width, device=x.device)
    radius2 = ((u * u + v * v) / 2)[None, None]
    loss = draw.uniform(-s.vignette, s.vignette).clamp_(min=0)  # half of all images have none
    return x * (1 - loss * radius2)


def _blurred(x: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    """Blur some images by a Gaussian, others along a line."""
    chosen = draw.chance(s.blur) | draw.chance(s.motion)
    gauss = _gauss_kernel(draw.uniform(0.3, s.blur_px))
    motion = _motion_kernel(draw.uniform(0, math.pi), draw.uniform(2, s.motion_px))
    kernel = torch.where(draw.chance(s.motion / (s.motion + s.blur + 1e-9)), motion, gauss)
    index = _chosen(chosen)
    return _convolved(x, kernel, index) if len(index) else x


def _convolved(x: torch.Tensor, kernel: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Convolve the images of `index`, each with its kernel of (b, 1, k, k)."""
    picked = x[index].transpose(0, 1)  # (3, n, h, w)
    padded = F.pad(picked, (_KERNEL_PX // 2,) * 4, mode="reflect" if min(x.shape[-2:]) > _KERNEL_PX else "replicate")
    out = F.conv2d(padded, kernel[index], groups=len(index))
    return x.index_copy(0, index, out.transpose(0, 1))


def _offsets(like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    at = torch.arange(_KERNEL_PX, device=like.device) - _KERNEL_PX // 2
    return at[:, None].float(), at.float()


def _gauss_kernel(sigma: torch.Tensor) -> torch.Tensor:
    v, u = _offsets(sigma)
    kernel = torch.exp(-0.5 * (u * u + v * v) / sigma**2)
    return kernel / kernel.sum((2, 3), keepdim=True)


def _motion_kernel(angle: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    v, u = _offsets(angle)
    along, across = u * angle.cos() + v * angle.sin(), v * angle.cos() - u * angle.sin()
    kernel = (length / 2 + 0.5 - along.abs()).clamp_(0, 1) * (1 - across.abs()).clamp_(min=0)
    return kernel / kernel.sum((2, 3), keepdim=True)


def _defocused(x: torch.Tensor, depth_m: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    """Blur pixels by the distance of their inverse depth from that of a random pixel; the sky has inverse depth 0."""
    inverse = torch.where(depth_m > 0, 1 / depth_m.clamp(min=1e-3), 0.0)[:, None]
    at = (draw.uniform(0.3, 0.9) * x.shape[2]).long(), (draw.uniform(0.2, 0.8) * x.shape[3]).long()
    aperture, index = draw.uniform(1.0, 4.0), _chosen(draw.chance(s.defocus))
    if not len(index):
        return x
    picked, nearness = x[index], inverse[index]
    focus = nearness[torch.arange(len(index), device=x.device), 0, at[0][index, 0, 0, 0], at[1][index, 0, 0, 0]].view(
        -1, 1, 1, 1
    )
    amount = (aperture[index] * (nearness - focus).abs() / focus.clamp(min=1e-3)).clamp_(0, 4)
    stages = [picked]
    for _ in range(2):
        stages.append(_boxed(stages[-1], 7))
    amount = _boxed(amount, 3)
    first, second = amount.clamp(0, 1), (amount - 1).clamp(0, 1)
    out = stages[0] + (stages[1] - stages[0]) * first
    return x.index_copy(0, index, out + (stages[2] - out) * second)


def _boxed(x: torch.Tensor, side: int) -> torch.Tensor:
    """Return the mean over a square around each pixel; torch's avg_pool2d takes ten times as long on a CPU."""
    x = F.pad(x, (side // 2,) * 4, mode="replicate")
    for dim in (2, 3):
        count = x.shape[dim] - side + 1
        total = x.narrow(dim, 0, count).clone()
        for start in range(1, side):
            total += x.narrow(dim, start, count)
        x = total.div_(side)
    return x


def _rescaled(x: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    """Reduce some images and enlarge them again, all by the same factor."""
    index, scale = _chosen(draw.chance(s.rescale)), float(draw.uniform(s.least_scale, 1.0)[0])
    if not len(index):
        return x
    size = [max(1, round(side * scale)) for side in x.shape[-2:]]
    small = F.interpolate(x[index], size=size, mode="bilinear", antialias=True)
    return x.index_copy(0, index, F.interpolate(small, size=x.shape[-2:], mode="bilinear"))


def _sharpened(x: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    amount, index = draw.uniform(0.3, 1.5), _chosen(draw.chance(s.sharpen))
    if not len(index):
        return x
    picked = x[index]
    return x.index_copy(0, index, (picked + amount[index] * (picked - _boxed(picked, 3))).clamp_(0, 1))


def _noisy(x: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    """Add shot noise, which grows with the square root of light, and read noise, coloured or grey."""
    level = draw.uniform(0, 1) ** 3 * s.noise  # most images have little
    shot = draw.uniform(0, 1)
    noise = draw.noise_like(x)
    noise = torch.where(draw.chance(0.5), noise, noise[:, :1])
    return x + noise * level * (shot * (2 * x.clamp(min=0)).sqrt() + 1 - shot)


def _through_jpeg(x: torch.Tensor, draw: _Draw, s: Appearance) -> torch.Tensor:
    """Encode some images as JPEG and decode them."""
    chosen, quality = _chosen(draw.chance(s.jpeg)), draw.uniform(s.least_quality, 98).view(-1).tolist()
    for index in chosen.tolist():
        pixels = (x[index].permute(1, 2, 0) * 255 + 0.5).to(torch.uint8).cpu().numpy()
        done, data = cv2.imencode(
            ".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, int(quality[index])]
        )
        assert done
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None
        x[index] = (
            torch.from_numpy(np.ascontiguousarray(decoded[..., ::-1])).to(x.device).permute(2, 0, 1).float() / 255
        )
    return x
