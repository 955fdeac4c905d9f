"""The service and the bare engine take turns, and nothing is lost between the blocks."""

from __future__ import annotations

from tiny_model import PHOTOS

from depthrt.bench.load.blocks import Watched, measure_blocks
from depthrt.bench.load.requests import make_request
from depthrt.bench.load.server_process import ServerProcess

PHOTO = (PHOTOS / "coffee.jpg").read_bytes()


def test_both_answer_in_every_block(server: ServerProcess) -> None:
    watched, order = Watched(server, [make_request(PHOTO, "npy")]), []
    watched.run(1, at_least=2)

    def bare(photo: bytes) -> None:
        order.append(watched.answers)

    blocks = list(measure_blocks(watched, bare, [PHOTO], clients=2, workers=2, blocks=2, block_s=0.3))
    assert [block.load.clients for block in blocks] == [2, 2]
    assert all(block.server_cpu_s > 0 and block.bare.images >= 4 and block.in_turn.images >= 2 for block in blocks)
    first, second = (len(block.load.answers) for block in blocks)
    assert {*order} == {2 + first}, "after the service in the first block, before it in the second"
    assert watched.answers == 2 + first + second == watched.samples[-1][0]
    assert watched.samples[-1][1] > 0
