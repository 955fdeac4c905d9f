from enum import IntEnum

class ReliabilityPolicy(IntEnum):
    RELIABLE = 1
    BEST_EFFORT = 2

class QoSProfile:
    def __init__(self, *, depth: int, reliability: ReliabilityPolicy = ...) -> None: ...
