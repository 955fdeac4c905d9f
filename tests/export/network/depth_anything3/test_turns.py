"""Queries and keys turn by rows and columns, so that their product depends on how far they are apart."""

from __future__ import annotations

import torch

from depthrt.export.network.depth_anything3.turns import token_places, turns_at

SAME = 1e-4  # of products of 64 random numbers, about 8


def test_the_class_token_is_at_0_and_patches_count_from_1() -> None:
    places = token_places((2, 3), torch.device("cpu"))
    assert places.tolist() == [[0, 0], [1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]


def test_the_product_of_query_and_key_depends_on_their_distance() -> None:
    query, key = torch.randn(2, 1, 1, 2, 64, generator=torch.Generator().manual_seed(0))

    def product(of_query: tuple[int, int], of_key: tuple[int, int]) -> torch.Tensor:
        turned = [turns_at(torch.tensor([place]))(part) for part, place in ((query, of_query), (key, of_key))]
        return (turned[0] * turned[1]).sum(-1)

    assert torch.allclose(product((1, 2), (4, 7)), product((11, 5), (14, 10)), atol=SAME)
    assert not torch.allclose(product((1, 2), (4, 7)), product((1, 2), (7, 4)), atol=0.1)
    assert torch.allclose(product((3, 3), (3, 3)), (query * key).sum(-1), atol=SAME)


def test_a_token_at_0_does_not_turn_and_keeps_its_type() -> None:
    part = torch.randn(1, 1, 3, 64, generator=torch.Generator().manual_seed(0)).half()
    found = turns_at(torch.zeros(1, 2, dtype=torch.int64))(part)
    assert torch.equal(found, part) and found.dtype == torch.float16
