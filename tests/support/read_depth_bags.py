"""Bags with depth, read back by rosbags as a subscriber reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader

_DTYPES = {"32FC1": "<f4", "16UC1": "<u2"}


@dataclass
class Read:
    """The messages of a topic, and when they were recorded."""

    times_ns: list[int] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)

    @property
    def pixels(self) -> list[NDArray[Any]]:
        """Return the pixels of each depth image."""
        return [
            message.data.view(_DTYPES[message.encoding]).reshape(message.height, message.width)
            for message in self.messages
        ]

    @property
    def headers(self) -> list[tuple[int, int, str]]:
        """Return the stamp and the frame of each message."""
        found = [message.header for message in self.messages]
        return [(header.stamp.sec, header.stamp.nanosec, header.frame_id) for header in found]


def read_depth_bag(folder: Path) -> dict[str, Read]:
    """Return the messages of a bag by topic; topics without messages too."""
    with AnyReader([folder]) as reader:
        found = {connection.topic: Read() for connection in reader.connections}
        for connection, time_ns, data in reader.messages():
            found[connection.topic].times_ns.append(time_ns)
            found[connection.topic].messages.append(reader.deserialize(data, connection.msgtype))
    return found


def same_floats(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    return bool(np.array_equal(found, expected, equal_nan=True))
