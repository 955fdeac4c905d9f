"""Tags of a TIFF are read whatever its byte order; damage is an error of one line, also in what is not read."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from made_tiff import made_tiff, tiff_of

from depthrt.engine.images.formats.tiff_tags import DESCRIPTION, ends_inside, one, read_pages, same, size_px, text_of

IMAGE = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}, {"bigtiff": True, "byteorder": ">"}])
def test_both_byte_orders_and_bigtiff_have_the_same_tags(options: dict[str, object]) -> None:
    data = tiff_of(IMAGE, description="a depth", rowsperstrip=5, **options)
    (page,) = read_pages(data)
    assert size_px(page.tags) == (48, 64)
    assert (one(page.tags, 277), same(page.tags, 258, 1), len(page.tags[273])) == (1, 16, 10)
    assert text_of(page.tags, DESCRIPTION).rstrip(b"\0") == b"a depth"
    assert ends_inside(page.tags, len(data)) and not ends_inside(page.tags, max(page.tags[273]))


@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_a_strip_or_tile_that_ends_a_byte_past_the_file_is_seen(tile: tuple[int, int] | None) -> None:
    (page,) = read_pages(tiff_of(IMAGE, tile=tile))
    offsets, counts = (page.tags[273], page.tags[279]) if tile is None else (page.tags[324], page.tags[325])
    end = max(offset + count for offset, count in zip(offsets, counts, strict=True))
    assert ends_inside(page.tags, end) and not ends_inside(page.tags, end - 1)


def test_only_the_first_two_pages_are_read_and_a_damaged_second_does_no_harm() -> None:
    data = tiff_of(np.stack([IMAGE] * 3), photometric="minisblack")
    pages = read_pages(data)
    assert [size_px(page.tags) for page in pages] == [(48, 64)] * 2
    assert len(read_pages(data[: pages[0].next_at])) == 1


def test_a_directory_that_leads_to_itself_ends() -> None:
    data = bytearray(tiff_of(IMAGE))
    (page,) = read_pages(bytes(data))
    at = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, at)[0]
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    assert len(read_pages(bytes(data))) == 2 and page.next_at == 0


@pytest.mark.parametrize("length", [4, 8, 9, 30])
def test_a_file_that_ends_in_its_tags_is_an_error(length: int) -> None:
    data = tiff_of(IMAGE)
    with pytest.raises(ValueError, match=r"its tags lie outside the file|its directory has \d+ entries"):
        read_pages(data[:length])


def test_a_file_of_another_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="which is not a TIFF"):
        read_pages(b"no picture")


def test_a_missing_or_wordy_number_is_an_error_that_names_the_tag() -> None:
    (page,) = read_pages(made_tiff({256: ("s", b"eight"), 257: ("H", [8])}, bytes(8)))
    with pytest.raises(ValueError, match=r"its tag ImageWidth \(256\) is missing or damaged"):
        size_px(page.tags)
    with pytest.raises(ValueError, match=r"its tag SamplesPerPixel \(277\) is missing or damaged"):
        one(page.tags, 277)
