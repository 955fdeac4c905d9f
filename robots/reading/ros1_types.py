"""Messages of ROS 1 in, CDR bytes and types of ROS 2 out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from rosbags.convert.converter import LATCH, is_same_wireformat, migrate_bytes
from rosbags.interfaces import Connection
from rosbags.interfaces.typing import Typesdict
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from ..messages.types import Definition

LATCHED = LATCH[0]

ToCdr = Callable[[bytes], memoryview]


class Ros1Types:
    """The types of a ROS 1 bag.

    A type that ROS 2 Jazzy has becomes that type; others keep the fields that the bag records.

    Args:
        connections: Of the bag.
    """

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._own, self._ros2 = get_typestore(Stores.EMPTY), get_typestore(Stores.ROS2_JAZZY)
        recorded: Typesdict = {}
        for connection in connections:
            recorded.update(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        self._own.register(recorded)
        self._ros2.register({name: fields for name, fields in recorded.items() if name not in self._ros2.fielddefs})
        self._converters: dict[str, ToCdr] = {}
        self._defaults: dict[str, object] = {}

    def definition(self, type: str) -> Definition:
        """Return what a rosbag2 records of a type."""
        text, _ = self._ros2.generate_msgdef(type, ros_version=2)
        return Definition("ros2msg", text, self._ros2.hash_rihs01(type))

    def to_cdr(self, type: str, data: bytes) -> memoryview:
        """Return a message as CDR bytes."""
        if type not in self._converters:
            self._converters[type] = self._converter(type)
        return self._converters[type](data)

    def _converter(self, type: str) -> ToCdr:
        if is_same_wireformat(self._own, self._ros2, type, type):
            return partial(self._ros2.ros1_to_cdr, typename=type)
        return partial(
            migrate_bytes, self._own, self._ros2, type, type, self._defaults, src_is2=False, dst_is2=True
        )  # fields that ROS 2 has dropped or added
