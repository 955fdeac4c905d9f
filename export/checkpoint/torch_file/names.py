"""The names of classes and functions in a pickle: those that an inert stand-in may replace, and those that run code."""

from __future__ import annotations

import re
import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING


class NeedsCode(Exception):
    """A pickle names or calls what could run code; the argument is the name."""


# Values and containers of the standard library that training files hold beside weights. A stand-in replaces them, so
# that nothing of them is run; every other name of the standard library is refused.
_HARMLESS = {
    module: names.split()
    for module, names in {
        "_codecs": "encode",
        "_collections": "OrderedDict deque defaultdict",
        "_io": "BytesIO StringIO",
        "_operator": "getitem itemgetter",
        "argparse": "Namespace",
        "array": "array _array_reconstructor",
        "builtins": "set frozenset bytearray complex range slice object int float str bool bytes list dict tuple type "
        "Ellipsis NotImplemented getattr abs all any len max min round sum sorted enumerate zip reversed property",
        "collections": "OrderedDict Counter defaultdict deque ChainMap UserDict UserList UserString",
        "copyreg": "_reconstructor __newobj__ __newobj_ex__",
        "contextlib": "nullcontext",
        "dataclasses": "_MISSING_TYPE _HAS_DEFAULT_FACTORY_CLASS",
        "datetime": "date time datetime timedelta timezone",
        "decimal": "Decimal Context",
        "enum": "Enum IntEnum Flag IntFlag StrEnum EnumMeta EnumType",
        "fractions": "Fraction",
        "functools": "partial",
        "inspect": "_empty Parameter Signature _ParameterKind",
        "io": "BytesIO StringIO",
        "ipaddress": "IPv4Address IPv6Address IPv4Network IPv6Network",
        "logging": "getLogger Logger",
        "operator": "getitem itemgetter",
        "random": "Random",
        "re": "_compile compile",
        "time": "struct_time",
        "types": "SimpleNamespace MappingProxyType GenericAlias NoneType",
        "uuid": "UUID SafeUUID",
        "zoneinfo": "ZoneInfo ZoneInfo._unpickle",
        **dict.fromkeys(
            ("pathlib", "pathlib._local"),
            "Path PurePath PosixPath PurePosixPath WindowsPath PureWindowsPath",
        ),
    }.items()
}
_HARMLESS_MODULES = {"collections.abc", "itertools", "math", "numbers", "typing"}
_BUILTIN_ERROR = re.compile(r"[A-Z]\w*(Error|Exception|Warning|Interrupt|Exit|Iteration)")
# Packages that pickle code, run programs or open connections, and modules that newer versions of Python lack.
_RUN_CODE = re.compile(
    "IPython|aiohttp|cloudpickle|commands|dill|distutils|fabric|fire|httplib2|httpx|invoke|joblib|paramiko|pexpect|pip"
    "|asynchat|asyncore|cgi|imp|lib2to3|nntplib|pipes|smtpd|telnetlib|pkg_resources|plumbum|popen2|requests|setuptools|sh|urllib2|urllib3"
)
# Functions of torch and numpy that make values; calls of their other functions are refused.
_MAKES_VALUES = re.compile(
    r"torch\.(device|_utils\.\w+|_tensor\._rebuild_from_type\w*|serialization\._get_layout|finfo|iinfo"
    r"|nested\._internal\.nested_tensor\._rebuild_njt)"
    r"|numpy\.(dtype|ndarray|generic|bool_?|u?int(\d+|c|p)|float\d+|complex\d+|str_|bytes_|void|record|recarray|matrix|poly1d|datetime64|timedelta64"
    r"|(_?core)\.(multiarray|_multiarray_umath)\.(scalar|_reconstruct)|(_?core)\.numeric\._frombuffer"
    r"|random\._pickle\.\w+|random\.\w+\.__pyx_unpickle_\w+|ma\.core\._mareconstruct)"
)
_WATCHED = {"torch", "numpy"}


def full_name(module: str, name: str) -> str:
    """Return the present name of a class or function; Python 2 had others for some.

    Raises:
        NeedsCode: A stand-in may not replace it.
    """
    if (module, name) in NAME_MAPPING:
        module, name = NAME_MAPPING[module, name]
    else:
        module = IMPORT_MAPPING.get(module, module)
    if not _may_stand_in(module, name):
        raise NeedsCode(f"{module}.{name}".removeprefix("builtins."))
    return f"{module}.{name}"


def check_call(name: str) -> None:
    """Refuse calls of functions of torch and numpy that may do more than make a value.

    Raises:
        NeedsCode: Names the function.
    """
    last = name.rpartition(".")[2].lstrip("_")
    if name.split(".", 1)[0] in _WATCHED and not last[:1].isupper() and not _MAKES_VALUES.fullmatch(name):
        raise NeedsCode(name)


def _may_stand_in(module: str, name: str) -> bool:
    root = module.split(".", 1)[0]
    if module in _HARMLESS and name in _HARMLESS[module]:
        return True
    if re.search(r"(^|\.)__", name) or _RUN_CODE.fullmatch(root) or not root:
        return name.startswith("__") and bool(_MAKES_VALUES.fullmatch(f"{module}.{name}"))
    if module in _HARMLESS_MODULES or (module == "builtins" and _BUILTIN_ERROR.fullmatch(name)):
        return "." not in name
    return root not in sys.stdlib_module_names and root not in sys.builtin_module_names
