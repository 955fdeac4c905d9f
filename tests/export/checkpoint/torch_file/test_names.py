"""Names in a pickle: an inert stand-in may replace classes, and what could run code is refused."""

from __future__ import annotations

import pytest

from depthrt.export.checkpoint.torch_file.names import NeedsCode, check_call, full_name

HARMLESS = [
    "collections.deque",
    "datetime.timedelta",
    "types.SimpleNamespace",
    "builtins.range",
    "builtins.KeyError",
    "pathlib._local.PosixPath",
    "typing.Any",
    "torch.torch_version.TorchVersion",
    "omegaconf.dictconfig.DictConfig",
    "mmengine.config.config.ConfigDict",
    "easydict.EasyDict",
    "__main__.Config",
    "lightning.fabric.utilities.data.AttributeDict",
]
REFUSED = ["builtins.eval", "os.system", "nt.system", "sys.exit", "runpy.run_path", "ctypes.CDLL", "dill._dill.loads"]
REFUSED += [
    "typing.sys.modules",
    "somewhere.__builtins__",
    "operator.attrgetter",
    "builtins.__import__",
    "socket.socket",
]


REFUSED += ["builtins.open", "builtins.setattr", "builtins.exec", "types.FunctionType", "types.CodeType"]
REFUSED += ["imp.load_source", "winreg.OpenKey", "inspect.getsource", "logging.FileHandler", "operator.methodcaller"]


@pytest.mark.parametrize("name", HARMLESS)
def test_a_class_of_plain_values_or_of_the_user_may_be_named(name: str) -> None:
    module, _, last = name.rpartition(".")
    assert full_name(module, last) == name
    check_call(name)


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_of_what_runs_code_is_refused_without_its_builtins_prefix(name: str) -> None:
    module, _, last = name.rpartition(".")
    with pytest.raises(NeedsCode) as caught:
        full_name(module, last)
    assert str(caught.value) == name.removeprefix("builtins.")


def test_names_of_python_2_become_those_of_today() -> None:
    assert full_name("__builtin__", "xrange") == "builtins.range"
    assert full_name("copy_reg", "_reconstructor") == "copyreg._reconstructor"
    with pytest.raises(NeedsCode, match=r"^eval$"):
        full_name("__builtin__", "eval")


@pytest.mark.parametrize(
    "name", ["torch.load", "torch.hub.load", "torch.utils.cpp_extension.load", "numpy.load", "numpy.f2py.compile"]
)
def test_a_function_of_torch_or_numpy_may_be_named_and_not_called(name: str) -> None:
    module, _, last = name.rpartition(".")
    assert full_name(module, last) == name
    with pytest.raises(NeedsCode, match=name):
        check_call(name)


@pytest.mark.parametrize(
    "name",
    [
        "numpy.random._pickle.__randomstate_ctor",
        "numpy._core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy.dtype",
        "torch.device",
        "torch._utils._rebuild_tensor_v2",
        "torch.optim.lr_scheduler.LambdaLR",
    ],
)
def test_what_makes_values_in_torch_and_numpy_may_be_called(name: str) -> None:
    module, _, last = name.rpartition(".")
    check_call(full_name(module, last))
