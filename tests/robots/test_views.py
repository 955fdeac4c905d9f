"""What a picture's camera is, with and without a usable CameraInfo."""

from __future__ import annotations

import numpy as np
import pytest
from made_bags import camera_message, header, picture

from depthrt import InputError
from depthrt.robots.views import Views, warn_of_distortion


def test_a_view_is_of_the_pictures_own_size_and_header() -> None:
    views = Views(rectified=True, rectify=False, needed=False)
    seen, view = views.look(picture(0), camera_message(height=96, width=128), header(7))
    assert view is not None and (view.info.height, view.info.width) == (48, 64)
    assert view.info.header == header(7) and view.inside is None
    assert view.intrinsics.fx_px == pytest.approx(1.1 * 64)
    np.testing.assert_array_equal(seen, picture(0))


def test_without_a_camera_there_is_no_view() -> None:
    views = Views(rectified=True, rectify=True, needed=True)
    assert views.look(picture(0), None, header(0))[1] is None


def test_a_straightened_view_has_no_distortion_left_and_says_what_the_camera_saw() -> None:
    views = Views(rectified=True, rectify=True, needed=True)
    seen, view = views.look(picture(0), camera_message(distorted=True), header(0))
    assert view is not None and not np.any(view.info.d) and view.inside is not None
    assert seen.shape == picture(0).shape and not np.array_equal(seen, picture(0))


def test_a_camera_of_other_images_is_refused_or_said_once(caplog: pytest.LogCaptureFixture) -> None:
    other = camera_message(height=64, width=64)
    with pytest.raises(InputError):
        Views(rectified=True, rectify=False, needed=True).look(picture(0), other, header(0))
    views = Views(rectified=True, rectify=False, needed=False)
    for _ in range(2):
        assert views.look(picture(0), other, header(0))[1] is None
    assert [record.message for record in caplog.records if "without a CameraInfo" in record.message] != []
    assert len(caplog.records) == 1


def test_a_warning_names_the_distorted_images_and_what_straightens_them(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_distortion("/front/image_raw")
    (record,) = caplog.records
    assert "/front/image_raw is distorted by its lens" in record.message and "--rectify" in record.message
