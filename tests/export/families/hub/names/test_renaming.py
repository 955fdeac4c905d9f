"""Names become others by the first pattern that matches; parts are joined in the order of the whole."""

from __future__ import annotations

import pytest
import torch

from depthrt.engine.errors import ModelFileError
from depthrt.export.families.hub.names.renaming import make_name_map, rename_tensors

NAMES = make_name_map(
    {r"old\.(\d)\.(?P<part>left|right)": (r"new.\1.both", "lr")},
    {r"^old\.(\d)\.": r"new.\1.", r"^old\.": "never.", r"^a\.": lambda match: "b."},
)


def test_parts_are_joined_and_the_first_pattern_counts() -> None:
    found = rename_tensors(
        {"old.1.right": torch.ones(1), "old.1.left": torch.zeros(2), "old.2.x": torch.ones(1), "a.y": torch.ones(1)},
        NAMES,
    )
    assert found.keys() == {"new.1.both", "new.2.x", "b.y"}
    assert found["new.1.both"].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["old.1.left"], r"new\.1\.both needs the parts l, r, r is missing"),
        (["a.y", "b.y"], r"b\.y is there twice, under names of two releases"),
    ],
)
def test_a_missing_part_and_two_equal_names_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        rename_tensors({name: torch.ones(1) for name in names}, NAMES)


def test_a_joined_tensor_that_the_file_does_not_hold_is_refused() -> None:
    left, right = (torch.zeros(1).expand(1 << 21) for _ in range(2))
    with pytest.raises(ModelFileError, match=r"new\.1\.both has 4194304 values and the file holds 2 for them"):
        rename_tensors({"old.1.left": left, "old.1.right": right}, NAMES)
