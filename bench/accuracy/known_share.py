"""The share of a data set's pixels that have no depth, and the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from ..datasets.true_depth import TrueDepth
from ..numbers.wording import share


class KnownShare:
    """Counts the pixels of measured depth, one image after the other. Not thread-safe."""

    def __init__(self) -> None:
        self._pixels = 0
        self._unknown = 0
        self._left_out: Counter[str] = Counter()

    def add(self, truth: TrueDepth) -> None:
        """Count the pixels of one image."""
        self._pixels += truth.valid.size
        self._unknown += int(np.count_nonzero(~truth.valid))
        self._left_out.update(truth.left_out)

    def sentences(self) -> Iterator[str]:
        """Yield a clause without the name of the data set; none if every pixel has depth."""
        if self._unknown:
            parts = [f"{share(count / self._pixels)} left out {reason}" for reason, count in self._left_out.items()]
            yield "; ".join([f"{share(self._unknown / self._pixels)} of its pixels have no depth", *parts])
