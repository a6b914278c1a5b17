from __future__ import annotations

import numpy as np
import pytest
from audit_cases import a_copy, a_picture
from scipy import ndimage

from tetract.data.audit.duplicates import near_pairs
from tetract.data.audit.perceptual_hash import CROPS, count_ones, distances, hashes, views_of
from tetract.data.audit.picture_match import Overlay, laid_over, level_of, likeness
from tetract.data.audit.thumbnail import Thumbnails, shrink, stack_thumbnails


def made(*pictures: np.ndarray) -> Thumbnails:
    return stack_thumbnails([shrink(picture, hu_known=False) for picture in pictures])


def test_counting_bits_by_hand_agrees_with_python() -> None:
    words = np.random.default_rng(0).integers(0, 2**64, (20, 3), dtype=np.uint64)
    words[0] = (0, 2**64 - 1, 1)
    assert count_ones(words).tolist() == [[int(w).bit_count() for w in row] for row in words]


def test_distance_is_the_number_of_differing_bits() -> None:
    some = np.array([[0b1011, 0]], dtype=np.uint64)
    others = np.array([[0b1011, 0], [0, 0b11], [2**64 - 1, 2**64 - 1]], dtype=np.uint64)
    assert distances(some, others).tolist() == [[0, 5, 125]]


@pytest.mark.parametrize("grey", [0, 255])
def test_a_border_of_any_grey_changes_nothing(grey: int) -> None:
    picture = a_picture(1)
    framed = np.pad(picture, ((30, 12), (5, 40)), constant_values=grey)
    body, _ = views_of(made(np.pad(picture, 3), framed))
    words = hashes(body)
    assert distances(words[:1], words[1:])[0, 0] <= 4


def test_brightness_and_contrast_hardly_change_a_hash() -> None:
    picture = a_picture(1)
    paler = (picture * 0.6 + 60).astype(np.uint8)
    for view in views_of(made(picture, paler)):
        words = hashes(view)
        assert distances(words[:1], words[1:])[0, 0] <= 4


def test_a_crop_of_the_one_is_near_the_cropped_other() -> None:
    picture = a_picture(1)
    cut = picture[18:-18, 18:-18]  # 7 % on each side
    body, whole = views_of(made(picture, cut))
    near = [
        int(distances(hashes(view, crop)[:1], hashes(view)[1:])[0, 0])
        for view in (body, whole)
        for crop in CROPS
    ]
    assert min(near) <= 12 < near[0] + near[len(CROPS)]


def test_a_thumbnail_knows_what_is_padding() -> None:
    wide = np.random.default_rng(0).integers(0, 255, (60, 120), dtype=np.uint8)
    small = shrink(wide, hu_known=False)
    assert small.frame.tolist() == [[32, 0, 96, 128]]
    assert not small.pixels[0, :30].any()
    assert small.pixels[0, 32:96].all(axis=0).any()


def test_hu_and_the_picture_made_of_them_are_alike() -> None:
    grey = a_picture(1)
    hu = np.rint(grey / 255 * 1500 - 1350).astype(np.int16)
    pictures = stack_thumbnails([shrink(grey, hu_known=False), shrink(hu, hu_known=True)])
    (pair,) = near_pairs(pictures, np.arange(2))
    assert pair.similarity > 0.8


def test_alignment_finds_how_a_part_was_cut_out() -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((256, 256)), 3)
    picture = np.clip(128 + 60 * noise / noise.std(), 0, 255).astype(np.uint8)
    small = made(picture, picture[16:240, 24:248])  # 224 of 256 px around row 128, column 136
    place = np.array([[64.0, 64.0, 128.0, 128.0]])
    overlay = Overlay(part=place * [1, 1.03, 0.9, 0.85], target=place, body=place)
    for factor, rounds in ((4, 8), (2, 6), (1, 6)):
        level = level_of(small, factor)
        pair = level.pick(np.array([0])), level.pick(np.array([1]))
        overlay = laid_over(*pair, overlay, rounds=rounds)
    assert overlay.part[0] == pytest.approx([64, 68, 112, 112], abs=0.3)
    assert likeness(*pair, overlay)[0] > 0.95


def test_copies_are_found_and_others_are_not() -> None:
    pictures = [a_picture(k) for k in range(8)]
    copies = [a_copy(picture) for picture in pictures]
    found = near_pairs(made(*pictures, *copies), np.arange(16))
    assert {(pair.first, pair.second) for pair in found} == {(k, k + 8) for k in range(8)}


def test_the_same_patient_is_never_a_pair() -> None:
    picture = a_picture(1)
    assert near_pairs(made(picture, a_copy(picture)), np.zeros(2, dtype=np.int64)) == ()


def test_no_pictures_are_no_pairs() -> None:
    assert near_pairs(stack_thumbnails([]), np.zeros(0, dtype=np.int64)) == ()
