from collections.abc import Callable
from typing import Generic, TypeVar

from .qos import QoSProfile

M = TypeVar("M")

class Publisher(Generic[M]):
    def publish(self, msg: M) -> None: ...

class Subscription(Generic[M]): ...

class Node:
    def __init__(self, node_name: str) -> None: ...
    def create_publisher(self, msg_type: type[M], topic: str, qos_profile: QoSProfile | int) -> Publisher[M]: ...
    def create_subscription(
        self, msg_type: type[M], topic: str, callback: Callable[[M], None], qos_profile: QoSProfile | int
    ) -> Subscription[M]: ...
