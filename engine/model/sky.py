"""The network's output becomes depth at the image's size, where the network says which pixels are sky."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..images.preprocess import Fit, Float32, content_of, to_image_size
from ..modelfile.contract import Contract

# Source: Depth-Anything-3 src/depth_anything_3/model/da3.py (_process_mono_sky_estimation), which takes the percentile
# of a random sample
FILL_PERCENTILE = 99.0  # of the depth that is not sky
LEAST_PIXELS = 10  # of the sky, and of the rest; with as many or fewer, nothing is filled
HALF = 0.5 - 1e-4  # of a pixel, which is sky then; exactly half is common, and rounds to either side


def depth_and_sky(
    values: Float32, sky: Float32, contract: Contract, fit: Fit, image_px: tuple[int, int]
) -> tuple[Float32, NDArray[np.bool_]]:
    """Return depth at the image's size, its sky filled with a far value, and which pixels are sky, both (H, W).

    Beside the sky a pixel takes its depth from the cells around it that are not sky: neither the fill nor what the
    network answers for the sky gets into it.

    Args:
        values: The network's depth (h, w).
        sky: The network's value for the sky (h, w); sky from contract.sky_from on.
        contract: Of the model file.
        fit: Where the image lies in the input.
        image_px: (H, W).
    """
    assert contract.sky_from is not None
    is_sky = sky >= contract.sky_from  # (h, w)
    count = np.count_nonzero(content_of(is_sky, fit))
    if count <= LEAST_PIXELS:
        return to_image_size(values, contract, fit, image_px), np.zeros(image_px, np.bool_)
    rest = content_of(values, fit)[~content_of(is_sky, fit)]
    share = to_image_size(is_sky.astype(np.float32), contract, fit, image_px)
    shown: NDArray[np.bool_] = share >= HALF
    if rest.size <= LEAST_PIXELS:
        return to_image_size(values, contract, fit, image_px), shown
    depth = to_image_size(np.where(is_sky, np.float32(0), values), contract, fit, image_px)
    np.divide(depth, 1 - share, out=depth, where=~shown)
    depth[shown] = np.percentile(rest, FILL_PERCENTILE)
    return depth, shown
