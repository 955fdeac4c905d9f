"""The share of pixels without depth, over all images of a data set."""

from __future__ import annotations

import numpy as np

from depthrt.bench.accuracy.known_share import KnownShare
from depthrt.bench.datasets.true_depth import TrueDepth

ALL = np.ones((4, 5), np.bool_)


def test_whole_depth_has_nothing_to_say() -> None:
    known = KnownShare()
    assert [*known.sentences()] == []
    known.add(TrueDepth(np.ones((4, 5), np.float32), ALL))
    assert [*known.sentences()] == []


def test_pixels_are_counted_over_all_images_with_each_reason() -> None:
    values = np.ones((4, 5), np.float32)
    values[0] = 0  # a quarter
    row = np.zeros((4, 5), np.bool_)
    row[:2] = True  # of which one row is unknown already
    known = KnownShare()
    known.add(TrueDepth(values, ALL).without(row, "by masks"))
    known.add(TrueDepth(np.ones((4, 5), np.float32), ALL).without(row, "as sky"))
    assert [*known.sentences()] == [
        "50.0 % of its pixels have no depth; 12.5 % left out by masks; 25.0 % left out as sky"
    ]
