"""Reads the sizes of a network off its tensors, with an error of one line for what is missing or impossible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...engine.errors import ModelFileError
from .architecture import HEAD_WIDTH, LEAST_BLOCKS


class TensorSizes:
    """The shapes of named tensors.

    Args:
        tensors: By official name.
        path: For messages.
    """

    def __init__(self, tensors: Mapping[str, Tensor], path: Path) -> None:
        self._tensors = tensors
        self._path = path

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """Return the shape of a tensor that shows a size.

        Raises:
            ModelFileError: It is missing, empty or of another rank.
        """
        if name not in self._tensors:
            raise self.error(f"lacks {name}, so the size of the network is unknown; save the whole model")
        found = tuple(self._tensors[name].shape)
        if len(found) != rank or 0 in found:
            raise self.error(f"holds {name} with the shape {found}, expected {rank} dimensions; save it again")
        return found

    def count(self, prefix: str) -> int:
        """Return how many numbers follow a prefix such as "blocks.": 0, 1, 2 and so on.

        Raises:
            ModelFileError: A number before the last one is missing.
        """
        pattern = re.compile(rf"{re.escape(prefix)}(\d{{1,4}})\.")
        numbers = {int(match[1]) for name in self._tensors if (match := pattern.match(name))}
        if numbers != set(range(len(numbers))):
            missing = min(set(range(max(numbers))) - numbers)
            raise self.error(f"lacks {prefix}{missing} of {max(numbers) + 1}; save the whole model")
        return len(numbers)

    def transformer(self, prefix: str, *, feed_forward: str = "fc1") -> tuple[int, int, int]:
        """Return the width, depth and feed-forward width of a transformer whose names begin with `prefix`.

        Args:
            prefix: Of its names, with a dot.
            feed_forward: Name of the first feed-forward layer.

        Raises:
            ModelFileError: A block is missing, or a size is one that no such network has.
        """
        width = self.shape(f"{prefix}cls_token", 3)[2]
        if width % HEAD_WIDTH:
            raise self.error(
                f"has tokens of width {width}, expected a multiple of {HEAD_WIDTH} (the channels of an attention "
                "head); such an encoder cannot be exported"
            )
        depth = self.count(f"{prefix}blocks.")
        if depth < LEAST_BLOCKS:
            raise self.error(f"has {depth} transformer blocks, expected {LEAST_BLOCKS} or more")
        return width, depth, self.shape(f"{prefix}blocks.0.mlp.{feed_forward}.weight", 2)[0]

    def error(self, sentence: str) -> ModelFileError:
        """Return an error about the file."""
        return ModelFileError(f"{self._path} {sentence}")
