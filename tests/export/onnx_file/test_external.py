"""Locations of weights that lie in the folder of their file, and those that do not, on any system."""

from __future__ import annotations

import pytest

from depthrt.export.onnx_file.external import leads_out


@pytest.mark.parametrize("location", ["model.onnx_data", "weights/0.bin", "./0.bin", "..data", "a..b/c"])
def test_a_name_in_the_folder_does_not_lead_out_of_it(location: str) -> None:
    assert not leads_out(location)


@pytest.mark.parametrize("location", ["", "..", "../secret", "/etc/passwd", "a/../../b", "..\\b", "C:\\b", "C:b"])
def test_what_leads_out_on_one_system_leads_out_on_all(location: str) -> None:
    assert leads_out(location)
