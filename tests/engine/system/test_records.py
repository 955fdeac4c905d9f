"""Every record that is read from JSON takes what is legal for its fields, and names the field of anything else.

What is legal is stated here a second time, by hand.
"""

from __future__ import annotations

import base64
import copy
import json
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import CONTRACT
from made_engine import make_header

from depthrt import ContractError, InputError, Intrinsics, ModelFileError, Provenance
from depthrt.engine.depth.provenance import Timings
from depthrt.engine.modelfile.adoption import Adoption
from depthrt.engine.modelfile.canary import FORMULA
from depthrt.engine.modelfile.contract import Canary, Contract
from depthrt.engine.modelfile.digest import Beside, Digest
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.runners.canary_check import Verdict
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import Trial, Tuning
from depthrt.engine.system.field_types import Length, Positive, Range, Text
from depthrt.engine.system.records import Mismatch, check_record, read_record, to_json_object
from depthrt.engine.trt.build_options import BuildOptions, Profile
from depthrt.engine.trt.plan_file import PlanHeader, PlanTensor

EXAMPLES = 1000  # of each record
AWKWARD_KEYS = ("", "a\nb", "\ud800", "k" * 1000)
RESIZES = (
    *("cubic", "bilinear_corners", "bilinear_antialias", "area_uint8"),
    *("cubic_uint8", "bilinear_uint8", "lanczos_uint8"),
)
Json = Any
Place = tuple[str | int, ...]

HOSTILE: list[Json] = [
    *(None, True, False, [], {}, [None], [[1]], {"a": 1}, [1, 2, 3, 4, 5], [1.0, 1.0, 1.0], [14, 14], [[]] * 2000),
    *(math.nan, math.inf, -math.inf, -1.0, -0.0, 0.0, 1e-9, 0.5, 1.25, 2.5, 11.5, 1e39, 1e308),
    *(-(2**70), -(10**400), -3, -1, 0, 1, 2, 13, 14, 28, 56, 4097, 16_385, 2**20 + 1, 2**31, 2**50 + 1, 10**400),
    *("", " ", "x", "1", "null", "fp64", "nearest", "FP32", "metric", "none", "discs-9", "8.9", "8.9.1", "٨.٩"),
    *("a\nb", "\x1b[2J", "\x00", "\u2028", "\u202e", "\ud800", "x" * 256, "x" * 100_001, "é" * 64, "0" * 64, "A" * 64),
    *("affine", "scale", "square", "stretch", "longest_floor", "edge_end", "zoe", "area_uint8", "bicubic"),
    *("letterbox", "inverse", "int8", "plain", "output", "tensorrt", "onnxruntime", "bilinear_centres"),
    *(f"\n{CONTRACT.canary.answer}", CONTRACT.canary.answer[:-4], f"{CONTRACT.canary.answer[:-3]}A=="),
    *("../beside.data", "a/b", "..", "a\\b", "01234567", "0123456G", {"bytes": 1}, 0.051, 0.049),
    *("AAAAAA==", "AAAA\n", "A" * 1044, base64.b64encode(struct.pack("<f", math.nan) * 784).decode()),
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A record, a good JSON object of it, and what is legal.

    Args:
        name: In errors.
        good: A JSON object with every kind of value.
        read: Reads an object.
        legal: Whether an object should be read.
        crossed: Places that an error may name because another field was changed.
        defaults: Keys that may be missing, and what they then mean.
    """

    name: str
    good: dict[str, Json]
    read: Callable[[Json], object]
    legal: Callable[[Json], bool]
    crossed: tuple[str, ...] = ()
    defaults: dict[str, Json] = field(default_factory=dict)


# What is legal, stated independently of the records.


def whole(value: Json, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def number(value: Json, least: float, most: float = math.inf) -> bool:
    if type(value) is int:
        return least <= value <= most and abs(value) < 10**300
    return type(value) is float and math.isfinite(value) and least <= value <= most


def above_0(value: Json) -> bool:
    return number(value, 0) and value > 0


def line(value: Json, least: int, most: int) -> bool:
    if type(value) is not str or not least <= len(value) <= most:
        return False
    return not any(
        letter in "\u2028\u2029\u202a\u202e" or ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value
    )


def hexadecimal(value: Json) -> bool:
    return type(value) is str and len(value) == 64 and set(value) <= set("0123456789abcdef")


def word(value: Json, *words: str) -> bool:
    return type(value) is str and value in words


def items(value: Json, of: Callable[[Json], bool], least: int, most: int) -> bool:
    return type(value) is list and least <= len(value) <= most and all(map(of, value))


def keys(value: Json, names: str) -> bool:
    return type(value) is dict and set(value) == set(names.split())


def side(value: Json) -> bool:
    return whole(value, 1, 16_384)


def px(value: Json) -> bool:
    return items(value, side, 2, 2)


def legal_canary(found: Json) -> bool:
    if not keys(found, "formula size_px stride_px answer tolerance") or not word(found["formula"], "discs-1"):
        return False
    if not (px(found["size_px"]) and side(found["stride_px"]) and number(found["tolerance"], 0, 1.5)):
        return False
    height, width = found["size_px"]
    if type(found["answer"]) is not str or height * width > 4096 * 4096:
        return False
    samples = math.ceil(height / found["stride_px"]) * math.ceil(width / found["stride_px"])
    if len(found["answer"]) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", found["answer"]):
        return False
    values = base64.b64decode(found["answer"])
    return len(values) == 4 * samples and all(map(math.isfinite, struct.unpack(f"<{samples}f", values)))


def legal_sums(found: Json, names: str) -> bool:
    return (
        keys(found, f"{names} bytes crc32 sha256")
        and whole(found["bytes"], 0, 2**50)
        and type(found["crc32"]) is str
        and re.fullmatch("[0-9a-f]{8}", found["crc32"]) is not None
        and hexadecimal(found["sha256"])
    )


def legal_beside(found: Json) -> bool:
    return legal_sums(found, "name") and line(found["name"], 1, 255) and not set(found["name"]) & set("/\\")


def legal_digest(found: Json) -> bool:
    return legal_sums(found, "weights") and items(found["weights"], legal_beside, 0, 16)


def legal_size(found: Json, format: int) -> bool:
    if format == 1:
        found = {**found, "pad": "mirror", "margin": "none"} if keys(found, "base_px multiple_px rule") else None
    any_sides = ("lower_bound", "letterbox", "minimal", "upper_bound", "stretch")
    rules = (*any_sides, "square", "longest_floor", "longest_nearest")
    return (
        keys(found, "base_px multiple_px rule pad margin")
        and px(found["base_px"])
        and side(found["multiple_px"])
        and all(one % found["multiple_px"] == 0 for one in found["base_px"])
        and word(found["rule"], *rules[: 2 if format == 1 else None])
        and (found["rule"] in any_sides or found["base_px"][0] == found["base_px"][1])
        and word(found["pad"], "mirror", "edge_end")
        and (found["pad"] == "mirror" or found["rule"] == "longest_floor")
        and word(found["margin"], "none", "zoe")
        and (found["margin"] == "none" or found["pad"] == "mirror")
    )


def legal_kind(found: Json, format: int) -> bool:
    if not word(found["kind"], *("inverse", "metric", "affine", "scale")[: 2 if format == 1 else None]):
        return False
    if found["kind"] == "metric" and found["max_depth_m"] is None:
        return format == 2
    return above_0(found["max_depth_m"]) if found["kind"] == "metric" else found["max_depth_m"] is None


def legal_since_2(found: Json) -> bool:
    """Return whether the fields that came with format 2 are legal."""
    return (
        word(found["input_resize"], *RESIZES)
        and type(found["mirrored"]) is bool
        and items(found["in_float32"], lambda one: line(one, 1, 255), 0, 1 << 20)
        and (not found["in_float32"] or found["precision"] in ("fp16", "fp16-safe", "bf16"))
        and (found["steps"] is None or whole(found["steps"], 1, 1000))
        and (whole(found["seed"], 0, 2**32 - 1) if found["seed"] is not None else found["steps"] in (None, 1))
        and (found["seed"] is None or found["steps"] is not None)
        and (found["focal_unit_px"] is None or (above_0(found["focal_unit_px"]) and found["kind"] == "metric"))
        and (found["sky_from"] is None or (above_0(found["sky_from"]) and found["kind"] in ("metric", "scale")))
    )


def legal_contract(found: Json) -> bool:
    format: Json = found.get("format") if type(found) is dict else None
    if not whole(format, 1, 2):
        return False
    names = (
        "format family encoder kind max_depth_m size mean std final_resize batch precision attention source_name "
        "source_sha256 licence producer canary"
    )
    names += " input_resize mirrored in_float32 steps seed focal_unit_px sky_from" if format == 2 else ""
    return (
        keys({key: value for key, value in found.items() if key not in ("digest", "adopted")}, names)
        and ("digest" not in found or legal_digest(found["digest"]))
        and ("adopted" not in found or legal_adoption(found))
        and all(line(found[name], 1, 255) for name in ("family", "encoder", "source_name", "producer"))
        and line(found["licence"], 0, 10_000)
        and legal_kind(found, format)
        and legal_size(found["size"], format)
        and items(found["mean"], lambda one: number(one, 0, 1), 3, 3)
        and items(found["std"], lambda one: number(one, 1e-4, 10), 3, 3)
        and word(found["final_resize"], "bilinear_corners", "bilinear_centres", *["bicubic"][: format - 1])
        and (format == 1 or legal_since_2(found))
        and (found["batch"] is None or whole(found["batch"], 1, 1024))
        and word(found["precision"], "fp32", "fp16", "fp16-safe", "bf16", "int8")
        and word(found["attention"], "fused", "plain", "none")
        and hexadecimal(found["source_sha256"])
        and legal_canary(found["canary"])
        and (found["precision"] == "int8" or found["canary"]["tolerance"] <= 0.05)
        and (
            found["size"]["rule"] not in ("letterbox", "square", "stretch")
            or found["canary"]["size_px"] == found["size"]["base_px"]
        )
        and all(one % found["size"]["multiple_px"] == 0 for one in found["canary"]["size_px"])
        and math.prod(found["canary"]["size_px"]) * (found["batch"] or 1) <= 4096 * 4096
    )


def legal_adoption(contract: Json) -> bool:
    found = contract["adopted"]
    return (
        keys(found, "source sha256 compared drift notes")
        and line(found["source"], 1, 255)
        and found["sha256"] == contract["source_sha256"]
        and type(found["compared"]) is bool
        and (number(found["drift"], 0) if found["compared"] else found["drift"] is None)
        and items(found["notes"], lambda one: line(one, 0, 10_000), 0, 100)
    )


def capabilities(value: Json) -> bool:
    return items(
        value, lambda one: type(one) is str and re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}", one) is not None, 0, 64
    )


def legal_options(found: Json) -> bool:
    if not keys(found, "min_px opt_px max_px batch compute_capabilities workspace_mib tf32"):
        return False
    sizes = [found[name] for name in ("min_px", "opt_px", "max_px") if found[name] is not None]
    return (
        all(map(px, sizes))
        and all(low <= high for one, two in pairwise(sizes) for low, high in zip(one, two, strict=True))
        and items(found["batch"], lambda one: whole(one, 1, 2**20), 3, 3)
        and found["batch"] == sorted(found["batch"])
        and capabilities(found["compute_capabilities"])
        and (found["workspace_mib"] is None or whole(found["workspace_mib"], 1, 2**20))
        and type(found["tf32"]) is bool
    )


def legal_profile(found: Json, shape: list[int]) -> bool:
    if not keys(found, "min opt max") or len(shape) != 4:
        return False
    if not all(items(found[name], lambda one: whole(one, 1, 2**20), 4, 4) for name in ("min", "opt", "max")):
        return False
    sides = list(zip(found["min"], found["opt"], found["max"], strict=True))
    return all(least <= best <= most for least, best, most in sides) and all(
        fixed in (-1, *three) and (fixed == -1 or len(set(three)) == 1)
        for fixed, three in zip(shape, sides, strict=True)
    )


def legal_tensor(found: Json) -> bool:
    return (
        keys(found, "name mode dtype shape profiles")
        and line(found["name"], 1, 255)
        and word(found["mode"], "input", "output")
        and type(found["dtype"]) is str
        and re.fullmatch("[a-z]{1,16}[0-9]{0,3}", found["dtype"]) is not None
        and items(found["shape"], lambda one: whole(one, -1, 2**20) and one != 0, 1, 8)
        and items(found["profiles"], lambda one: legal_profile(one, found["shape"]), 0, 16)
    )


def legal_header(found: Json) -> bool:
    names = (
        "contract tensors flavour tensorrt_version compute_capabilities gpu onnx_sha256 options plan_bytes plan_sha256 "
        "producer"
    )
    return (
        keys(found, names)
        and legal_contract(found["contract"])
        and items(found["tensors"], legal_tensor, 1, 64)
        and word(found["flavour"], "tensorrt", "tensorrt-rtx")
        and type(found["tensorrt_version"]) is str
        and re.fullmatch("[0-9A-Za-z.+_-]{1,64}", found["tensorrt_version"]) is not None
        and capabilities(found["compute_capabilities"])
        and line(found["gpu"], 0, 255)
        and hexadecimal(found["onnx_sha256"])
        and legal_options(found["options"])
        and whole(found["plan_bytes"], 0, 2**50)
        and hexadecimal(found["plan_sha256"])
        and line(found["producer"], 1, 255)
    )


def legal_choice(found: Json) -> bool:
    return (
        keys(found, "runner precision threads")
        and word(found["runner"], "onnxruntime", "openvino")
        and word(found["precision"], "fp32", "fp16", "fp16-safe", "bf16", "int8")
        and whole(found["threads"], 1, 2**20)
    )


def legal_trial(found: Json) -> bool:
    return (
        keys(found, "choice median_ms p90_ms drift failure")
        and legal_choice(found["choice"])
        and all(found[name] is None or above_0(found[name]) for name in ("median_ms", "p90_ms"))
        and (found["drift"] is None or number(found["drift"], 0))
        and line(found["failure"], 0, 10_000)
    )


def legal_tuning(found: Json) -> bool:
    return (
        keys(found, "choice speed drift budget made trials")
        and legal_choice(found["choice"])
        and above_0(found["speed"])
        and number(found["budget"], 0, 1)
        and number(found["drift"], 0, max(found["budget"], 1e-5))
        and line(found["made"], 1, 255)
        and items(found["trials"], legal_trial, 0, 1000)
    )


def legal_camera(found: Json) -> bool:
    names = "fx_px fy_px cx_px cy_px"
    return (
        (keys(found, names) or (keys(found, f"{names} size_px") and items(found["size_px"], count, 2, 2)))
        and all(above_0(found[name]) for name in ("fx_px", "fy_px"))
        and all(number(found[name], -math.inf) for name in ("cx_px", "cy_px"))
    )


def count(value: Json) -> bool:
    return whole(value, 1, 2**20)


MAY_LACK: dict[str, Callable[[Json], bool]] = {  # of a provenance
    "time_s": lambda value: number(value, 0),
    "focal_px": above_0,
    "camera": legal_camera,
    "stamp_ns": lambda value: whole(value, -(2**63), 2**63 - 1),
    "age_ms": lambda value: number(value, 0),
    "skipped": lambda value: whole(value, 0, 2**63 - 1),
}


def legal_provenance(found: Json) -> bool:
    if isinstance(found, dict):
        if not all(found.get(name) is None or legal(found[name]) for name, legal in MAY_LACK.items()):
            return False
        found = {key: value for key, value in found.items() if key not in MAY_LACK}
    names = "model source_sha256 runner provider precision input_px image_px producer notes timings"
    return (
        keys(found, names)
        and all(line(found[name], 1, 255) for name in ("model", "runner", "provider", "producer"))
        and hexadecimal(found["source_sha256"])
        and word(found["precision"], "fp32", "fp16", "fp16-safe", "bf16", "int8")
        and all(items(found[name], count, 2, 2) for name in ("input_px", "image_px"))
        and items(found["notes"], lambda one: line(one, 0, 10_000), 0, 1000)
        and keys(found["timings"], "preprocess_ms run_ms postprocess_ms")
        and all(number(one, 0) for one in found["timings"].values())
    )


def legal_verdict(found: Json) -> bool:
    return keys(found, "drift slope drift_bound slope_bound") and all(
        number(found[name], -math.inf if name == "slope" else 0) for name in found
    )


FAST = Choice("openvino", "bf16", 2)
TUNING = Tuning(
    choice=FAST,
    speed=2.125,
    drift=0.0021,
    budget=0.005,
    made="2026-11-21T12:00:00+00:00",
    trials=(Trial(FAST, 40.0, 45.5, 0.0021), Trial(FAST, None, None, None, failure="no such arithmetic here")),
)
PROVENANCE = Provenance(
    model="depth-anything-v2-vits",
    source_sha256="ab" * 32,
    runner="onnxruntime",
    provider="CPUExecutionProvider",
    precision="fp32",
    input_px=(518, 798),
    image_px=(480, 640),
    producer="depthrt 0.1.0",
    notes=("no GPU: ran on the CPU", "größer als gedacht"),
    timings=Timings(1.5, 20.25, 0.5),
    camera=Intrinsics(525.5, 520.25, 319.5, 239.5, (480, 640)),
    stamp_ns=1_700_000_000_123_456_789,
    age_ms=41.5,
    skipped=2,
)


def as_json(record: object) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(json.dumps(to_json_object(record)))
    return found


def read_contract_object(found: Json) -> Contract:
    return read_record(Contract, found, name="contract", remedy="export the model again")


def read_tuning_object(found: Json) -> Tuning:
    return read_record(Tuning, found, name="tuning", remedy="tune again")


def read_verdict_object(found: Json) -> Verdict:
    return read_record(Verdict, found, name="verdict", remedy="ask again")


OF_CONTRACT = (
    *(".max_depth_m", ".size.base_px", ".size.pad", ".size.margin", ".canary.size_px", ".canary.answer", ".batch"),
    *(".seed", ".focal_unit_px", ".sky_from", ".mirrored", ".in_float32"),
    *(".adopted.drift", ".adopted.sha256", ".source_sha256"),
)  # fmt: skip
# A large canary of one value; its sides are multiples of 28, not of 56.
LARGE = Canary(FORMULA, (980, 980), 980, base64.b64encode(struct.pack("<f", 1.0)).decode(), 1e-5)
METRIC = replace(
    CONTRACT, kind="metric", max_depth_m=20.0, batch=1, size=SizeRule((56, 56), 28, "lower_bound"), canary=LARGE
)
STATIC = replace(CONTRACT, size=SizeRule((28, 28), 14, "letterbox"), batch=1)
WITH_SKY = replace(
    METRIC,
    precision="fp16",
    in_float32=("LayerNorm",),
    mirrored=True,
    final_resize="bicubic",
    focal_unit_px=300.0,
    sky_from=0.3,
)
OLD = replace(METRIC, format=1)
SIZES = (28, 28), (28, 42), (56, 56)
HEADER = replace(
    make_header(),
    contract=CONTRACT,
    tensors=(
        PlanTensor(
            "image",
            "input",
            "float32",
            (-1, 3, -1, -1),
            (Profile(*((count, 3, *size) for count, size in zip((1, 2, 4), SIZES, strict=True))),),
        ),
        PlanTensor("depth", "output", "float32", (-1, -1, -1)),
    ),
    options=BuildOptions(*SIZES, batch=(1, 2, 4)),
)
OF_HEADER = (
    *(f".contract{place}" for place in OF_CONTRACT),
    *(f".tensors[0].profiles[0]{name}" for name in ("", ".opt", ".max")),
    *(f".options.{name}" for name in ("batch", "opt_px", "max_px")),
)
DIGEST = Digest(19_292_273, "0" * 8, "1" * 64, (Beside("model-01234567-0123456789ab.data", 7, "2" * 8, "3" * 64),))
SEALED = replace(
    CONTRACT,
    kind="affine",
    size=SizeRule((56, 56), 28, "longest_floor", "edge_end"),
    input_resize="bilinear_antialias",
    steps=4,
    seed=2024,
    digest=DIGEST,
)
ADOPTED = replace(
    CONTRACT, adopted=Adoption("ORG/NAME@" + "ab" * 20, CONTRACT.source_sha256, True, 2e-6, ("it was forced",))
)
CASES = {
    "dynamic contract": Case("contract", as_json(SEALED), read_contract_object, legal_contract, OF_CONTRACT),
    "static contract": Case("contract", as_json(STATIC), read_contract_object, legal_contract, OF_CONTRACT),
    "metric contract": Case("contract", as_json(WITH_SKY), read_contract_object, legal_contract, OF_CONTRACT),
    "adopted contract": Case("contract", as_json(ADOPTED), read_contract_object, legal_contract, OF_CONTRACT),
    "contract of format 1": Case("contract", as_json(OLD), read_contract_object, legal_contract, OF_CONTRACT),
    "engine header": Case("engine header", as_json(HEADER), PlanHeader.from_dict, legal_header, OF_HEADER),
    "tuning": Case("tuning", as_json(TUNING), read_tuning_object, legal_tuning, (".drift",)),
    "provenance": Case(
        "provenance",
        as_json(PROVENANCE),
        Provenance.from_dict,
        legal_provenance,
        defaults=dict.fromkeys(MAY_LACK),
    ),
    "verdict": Case("verdict", as_json(Verdict(1e-6, 1.0, 1e-4, 1e-3)), read_verdict_object, legal_verdict),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def places(found: Json, place: Place = ()) -> list[Place]:
    """Return every place in a JSON value, containers and the whole included."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [place, *(deep for key, value in inner for deep in places(value, (*place, key)))]


def path(place: Place) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)


def at(found: Json, place: Place) -> Json:
    for key in place:
        found = found[key]
    return found


@st.composite
def damaged(draw: st.DrawFn, good: dict[str, Json]) -> tuple[Json, Place]:
    """Return a JSON object with one place changed, dropped or added, and the place."""
    found = copy.deepcopy(good)
    place = draw(st.sampled_from(places(good)))
    how = draw(st.sampled_from(["replace", "replace", "replace", "drop", "add"]))
    target = at(found, place)
    if how == "add" and isinstance(target, dict):
        key = draw(st.sampled_from(["x", "format", *AWKWARD_KEYS]))
        target[key] = draw(st.sampled_from(HOSTILE))
        return found, (*place, key)
    if how == "add" and isinstance(target, list):
        target.append(draw(st.sampled_from([*HOSTILE, *copy.deepcopy(target)])))
        return found, place
    if not place:
        return draw(st.sampled_from(HOSTILE)), place
    parent = at(found, place[:-1])
    if how == "drop":
        del parent[place[-1]]
        return found, place if isinstance(parent, dict) else place[:-1]
    parent[place[-1]] = draw(st.sampled_from(HOSTILE))
    return found, place


@each_case
def test_a_good_object_comes_back_as_it_was(case: Case) -> None:
    assert case.legal(case.good)
    assert as_json(case.read(case.good)) == case.good


def check_refusal_or_value(case: Case, found: Json, place: Place) -> None:
    """Check what a reader makes of an object that was changed at a place."""
    try:
        record = case.read(found)
    except (ContractError, ModelFileError, InputError) as error:
        message = str(error)
        assert not case.legal(found), message
        assert message.isprintable() and len(message) < 500
        match = re.match(rf"{case.name}(\S*) (is|has|holds) .*; \S", message)
        assert match is not None, message
        named, changed = match[1], path(place)
        assert named.startswith(changed) or changed.startswith(named) or named in case.crossed, (message, changed)
        return
    assert case.legal(found), found
    assert as_json(record) == ({**case.defaults, **found} if case.defaults else found)


@each_case
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_a_wrong_value_is_one_line_that_names_the_field(case: Case, data: st.DataObject) -> None:
    found, place = data.draw(damaged(case.good))
    shown_as_text = place and place[-1] in AWKWARD_KEYS
    check_refusal_or_value(case, found, place[:-1] if shown_as_text else place)


@each_case
def test_every_place_takes_no_hostile_value_that_is_not_legal(case: Case) -> None:
    for place in places(case.good):
        for value in [] if place[:1] == ("contract",) != place else HOSTILE:  # those inside it are tried there
            found = copy.deepcopy(case.good)
            if place:
                at(found, place[:-1])[place[-1]] = value
            check_refusal_or_value(case, found if place else value, place)


# The reader itself, on records made for it.


@dataclass(frozen=True, slots=True)
class Inner:
    low: float
    high: Positive

    def check(self) -> None:
        if self.low > self.high:
            raise Mismatch(".low", f"is {self.low:g}, expected at most high, {self.high:g}")


@dataclass(frozen=True, slots=True)
class Outer:
    flag: bool
    count: int
    share: Annotated[float, Range(0, 1)]
    name: Annotated[str, Text(1, 8)]
    word: Literal["one", "two"]
    pair: tuple[int, str]
    many: Annotated[tuple[Inner, ...], Length(0, 2)]
    perhaps: Inner | None


GOOD: dict[str, Json] = {
    "flag": True,
    "count": -5,
    "share": 1,
    "name": "ünï 東京",
    "word": "two",
    "pair": [1, "a"],
    "many": [{"low": 0, "high": 2.5}],
    "perhaps": None,
}


def read_outer(**changes: Json) -> Outer:
    return read_record(Outer, {**GOOD, **changes}, name="outer", remedy="mend it", failure=InputError)


def test_json_becomes_the_types_of_the_hints() -> None:
    found = read_outer()
    assert found == Outer(True, -5, 1.0, "ünï 東京", "two", (1, "a"), (Inner(0.0, 2.5),), None)
    assert type(found.share) is float and type(found.many[0].low) is float
    assert read_outer(perhaps={"low": 1, "high": 1}).perhaps == Inner(1.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flag": 1}, "outer.flag is 1, expected true or false"),
        ({"count": True}, "outer.count is true, expected a whole number"),
        ({"count": 1.0}, "outer.count is 1.0, expected a whole number"),
        ({"count": "5"}, "outer.count is '5', expected a whole number"),
        ({"share": False}, "outer.share is false, expected a finite number from 0 to 1"),
        ({"share": 1.5}, "outer.share is 1.5, expected a finite number from 0 to 1"),
        ({"share": math.nan}, "outer.share is nan, expected a finite number from 0 to 1"),
        ({"share": 2**64 - 1}, f"outer.share is {2**64 - 1}, expected a finite number from 0 to 1"),
        ({"share": 2**64}, "outer.share is a whole number of 65 bits, expected a finite number from 0 to 1"),
        ({"share": 10**400}, "outer.share is a whole number of 1329 bits, expected a finite number from 0 to 1"),
        ({"name": ""}, "outer.name is '', expected text of 1 to 8 printable characters"),
        ({"name": "a\x1b[2Jb"}, r"outer.name is 'a\x1b[2Jb', expected text of 1 to 8 printable characters"),
        ({"name": "A" * 38}, f"outer.name is '{'A' * 38}', expected text of 1 to 8 printable characters"),
        ({"name": "A" * 39}, f"outer.name is '{'A' * 39}..., expected text of 1 to 8 printable characters"),
        ({"name": "A" * 99}, f"outer.name is '{'A' * 39}..., expected text of 1 to 8 printable characters"),
        ({"name": "\ud800"}, r"outer.name is '\ud800', expected text of 1 to 8 printable characters"),
        ({"word": "three"}, "outer.word is 'three', expected one of one, two"),
        ({"word": ["one"]}, "outer.word is a list of 1, expected one of one, two"),
        ({"pair": [1]}, "outer.pair is a list of 1, expected a list of 2"),
        ({"pair": [1, 2]}, "outer.pair[1] is 2, expected text"),
        ({"many": GOOD["many"] * 3}, "outer.many is a list of 3, expected a list of 0 to 2 entries"),
        ({"many": [{"low": 0, "high": 0}]}, "outer.many[0].high is 0, expected a finite number above 0"),
        ({"many": [{"low": 3, "high": 1}]}, "outer.many[0].low is 3, expected at most high, 1"),
        ({"many": [[]]}, "outer.many[0] is a list of 0, expected an object"),
        ({"perhaps": 5}, "outer.perhaps is 5, expected an object or null"),
        ({"perhaps": {"low": 1}}, "outer.perhaps.high is missing"),
        ({"perhaps": {"low": 1, "hihg": 2}}, "outer.perhaps.hihg is an unknown key, and high is missing"),
        ({"x" * 40: 1}, f"outer.{'x' * 40} is an unknown key"),
        ({"x" * 41: 1}, f"outer.'{'x' * 39}... is an unknown key"),
        ({"x\n": 1}, r"outer.'x\n' is an unknown key"),
    ],
)  # fmt: skip
def test_the_message_says_where_what_was_found_and_what_was_expected(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_outer(**changes)
    assert str(caught.value) == f"{message}; mend it"


def test_a_record_made_in_code_is_checked_alike() -> None:
    wrong = replace(read_outer(), count=True)
    with pytest.raises(ContractError, match=r"^outer\.count is true, expected a whole number; mend it$"):
        check_record(wrong, name="outer", remedy="mend it")
    check_record(read_outer(), name="outer", remedy="mend it")
