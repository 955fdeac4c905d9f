"""The service and the bare engine in turns, over the same images in the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .bare_engine import Bare, run_bare
from .clients import Load, run_clients
from .figures import Block
from .server_process import ServerProcess

WARM_ANSWERS = 4  # of the server, before anything counts
_SAMPLE_ANSWERS = 20  # between two looks at the server's memory


class Watched:
    """A server under load, all its answers, and its memory.

    Args:
        server: That runs.
        requests: Taken in turns by the clients.
    """

    def __init__(self, server: ServerProcess, requests: Sequence[bytes]) -> None:
        self.server, self._requests = server, requests
        self.loads: list[Load] = []
        self.samples: list[tuple[int, float]] = []  # answers so far, MiB

    @property
    def answers(self) -> int:
        """Return the number of answers so far."""
        return sum(len(load.answers) for load in self.loads)

    def run(self, clients: int, *, seconds: float = 0.0, at_least: int = 0) -> Load:
        """Let clients ask for some seconds, and on until there are so many answers; blocks."""
        before = self.answers

        def look(answers: int) -> None:
            if (before + answers) % _SAMPLE_ANSWERS == 0:
                self.samples.append((before + answers, self.server.memory_mib()))

        address = self.server.host, self.server.port
        found = run_clients(
            address, self._requests, clients=clients, seconds=seconds, at_least=at_least, on_answer=look
        )
        self.loads.append(found)
        self.samples.append((self.answers, self.server.memory_mib()))
        return found


def measure_blocks(
    watched: Watched,
    answer: Callable[[bytes], object],
    photos: Sequence[bytes],
    *,
    clients: int,
    workers: int,
    blocks: int,
    block_s: float,
) -> Iterator[Block]:
    """Time the service and the bare engine in turns; every second block begins with the bare engine.

    Args:
        watched: The service.
        answer: Of the bare engine; see bare_answer.
        photos: Encoded images, of both.
        clients: That ask the service at once.
        workers: Threads of the bare engine.
        blocks, block_s: Number of turns, and seconds of each of the three parts.
    """

    def bare() -> tuple[Bare, Bare]:
        return (
            run_bare(answer, photos, workers=workers, seconds=block_s),
            run_bare(answer, photos, workers=1, seconds=block_s),
        )

    for number in range(blocks):
        first = bare() if number % 2 else None
        before_s = watched.server.cpu_s()
        load = watched.run(clients, seconds=block_s)
        cpu_s = watched.server.cpu_s() - before_s
        yield Block(load, cpu_s, *(first or bare()))
