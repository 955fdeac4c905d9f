"""Every error a user of depthrt can meet.

DepthrtError
├── ModelFileError       a file is not the model file it should be
├── ContractError        a model file promises something this version cannot keep
├── InputError           an image, option or value is not usable (also a ValueError)
│   └── NoFloor          an obstacle gate sees no floor in a depth
├── FetchError           a published file cannot be downloaded, or is not what it should be
├── BackendUnavailable   a runner cannot work on this machine
├── BuildError           a builder refused
├── ParityError          a written model does not answer like its checkpoint
└── BudgetError          no runner stays within the accuracy budget

A message says what was found, what was expected and what to do, in one line.
"""


class DepthrtError(Exception):
    """Base of all errors that depthrt raises on purpose."""


class ModelFileError(DepthrtError):
    """A checkpoint, ONNX or engine file cannot be read as what it should be."""


class ContractError(DepthrtError):
    """A model file's contract is missing, unknown or contradicts the file."""


class InputError(DepthrtError, ValueError):
    """An image, option or value is not usable."""


class NoFloor(InputError):
    """An obstacle gate sees no floor in a depth; the message says what it sees."""


class FetchError(DepthrtError):
    """A published file cannot be downloaded, or is not what it should be."""


class BackendUnavailable(DepthrtError):
    """A runner cannot work here; the message names what to install."""


class BuildError(DepthrtError):
    """A builder refused a model; the message ends with the tail of its log."""


class ParityError(DepthrtError):
    """A written model departs from its checkpoint; the message has the numbers."""


class BudgetError(DepthrtError):
    """No runner stays within the accuracy budget."""
