"""What a pickle builds: values, tensors and inert stand-ins."""

from __future__ import annotations

import pytest
import torch

from depthrt.export.checkpoint.torch_file.objects import Named, StandIn, call, key_of, name_object, type_name


def test_types_of_numbers_are_known_and_other_names_of_torch_are_names_only() -> None:
    assert name_object("torch.bfloat16") is torch.bfloat16
    for name in ("torch.load", "torch.hub", "torch.nn.Module", "float32"):
        found = name_object(name)
        assert isinstance(found, Named) and found.name == name


@pytest.mark.parametrize("name", ["collections.OrderedDict", "collections.Counter", "collections.defaultdict"])
def test_mappings_of_the_standard_library_become_dicts(name: str) -> None:
    first = [Named("builtins.list")] if name.endswith("defaultdict") else []
    assert call(Named(name), (*first, [("a", 1)])) == {"a": 1}
    assert call(Named(name), (*first, {"a": 1})) == {"a": 1}
    assert call(Named(name), (*first,)) == {}


def test_a_class_inside_a_class_is_a_longer_name() -> None:
    found = call(Named("builtins.getattr"), (Named("somewhere.Model"), "Mode"))
    assert isinstance(found, Named) and found.name == "somewhere.Model.Mode"


def test_an_object_by_copyreg_keeps_the_items_of_its_built_in_base() -> None:
    given = (Named("easydict.EasyDict"), Named("builtins.dict"), {"a": 1})
    found = call(Named("copyreg._reconstructor"), given)
    assert isinstance(found, StandIn) and (found.name, found.items) == ("easydict.EasyDict", {"a": 1})


def test_bytes_and_sizes_are_read() -> None:
    assert call(Named("_codecs.encode"), ("ÿ", "latin1")) == b"\xff"
    assert call(Named("torch.Size"), ((2, 3),)) == (2, 3)
    strange = call(Named("_codecs.encode"), ("x", "rot13"))
    assert isinstance(strange, StandIn), "only the codecs that pickle uses are used"


def test_only_plain_values_are_keys() -> None:
    assert [key_of(key) for key in ("a", 1, 0.5, None, b"b")] == ["a", 1, 0.5, None, b"b"]
    assert type_name(key_of((1, 2))) == "tuple"
