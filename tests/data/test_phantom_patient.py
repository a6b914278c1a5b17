from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from tetract.data.phantom.patient import (
    LESIONS,
    Finding,
    PhantomConfig,
    PhantomPatient,
    make_patient,
    plan_roles,
)
from tetract.errors import InputError

SMALL = PhantomConfig(patients=(6, 3, 3), slices=(6, 8), size_px=64)


@cache
def cohort() -> tuple[PhantomPatient, ...]:
    return tuple(make_patient(SMALL, index) for index in range(SMALL.total))


def slices() -> list[tuple[PhantomPatient, int]]:
    return [(p, index) for p in cohort() for index in range(p.volume.depth)]


@pytest.mark.parametrize("index", [0, 5, SMALL.total])
def test_same_seed_gives_the_same_bytes(index: int) -> None:
    first, second = make_patient(SMALL, index), make_patient(SMALL, index)
    assert first.volume.values.tobytes() == second.volume.values.tobytes()
    assert first.instances.tobytes() == second.instances.tobytes()
    assert first.lung.tobytes() == second.lung.tobytes()


def test_another_seed_or_another_index_gives_another_patient() -> None:
    one = make_patient(SMALL, 0).volume.values
    for other in (make_patient(replace(SMALL, seed=1), 0), make_patient(SMALL, 3)):
        values = other.volume.values
        assert one.shape != values.shape or (one != values).mean() > 0.3


def test_drawing_leaves_the_global_generator_alone() -> None:
    np.random.seed(3)  # noqa: NPY002 - the legacy state is what must not move
    before = np.random.get_state()[1].copy()  # noqa: NPY002  the global state is what is watched
    make_patient(SMALL, 1)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002  the global state is what is watched


def test_a_larger_cohort_does_not_redraw_who_keeps_the_same_role() -> None:
    larger = replace(SMALL, patients=(6, 3, 9))
    assert plan_roles(larger)[:9] == plan_roles(SMALL)[:9]
    assert (make_patient(larger, 4).volume.values == make_patient(SMALL, 4).volume.values).all()


def test_boxes_are_the_half_open_bounds_of_their_instance_masks() -> None:
    checked = 0
    for patient, index in slices():
        boxes = patient.boxes(index)
        for (x0, y0, x1, y1), mask in zip(boxes.xyxy.astype(int), boxes.masks, strict=True):
            rows, columns = mask.nonzero()
            assert (x0, x1) == (columns.min(), columns.max() + 1)
            assert (y0, y1) == (rows.min(), rows.max() + 1)
            checked += 1
    assert checked > 20


def test_instances_are_exactly_the_connected_components_of_the_mask() -> None:
    eight = np.ones((3, 3))
    for patient, index in slices():
        mask = sum((patient.mask(lesion)[index] for lesion in LESIONS), np.zeros((), bool))
        closed = ndimage.binary_dilation(mask, eight)  # one pixel of closing merges none of them
        assert ndimage.label(closed, eight)[1] == len(patient.boxes(index))


def test_every_shown_lesion_has_the_smallest_area_and_lies_in_the_lung() -> None:
    least = {Finding.NODULE: 20, Finding.GROUND_GLASS: 45}
    for patient, index in slices():
        for mask in patient.boxes(index).masks:
            assert mask.sum() >= least[patient.role.kind]
        assert not (patient.instances[index][~patient.lung[index]]).any()


def test_a_slice_without_truth_shows_nothing_of_the_lesion() -> None:
    for index, role in enumerate(plan_roles(SMALL)):
        if role.kind is Finding.NORMAL:
            continue
        sick = make_patient(SMALL, index)
        gone = replace(SMALL.lesions, nodule_hu=(900.0, 900.0), glass_hu=(900.0, 900.0))
        loud = make_patient(replace(SMALL, lesions=gone), index)
        changed = (sick.clean_hu != loud.clean_hu).any(axis=(1, 2))
        assert (changed == (sick.instances > 0).any(axis=(1, 2))).all()


def test_class_of_a_slice_is_what_its_mask_shows() -> None:
    for patient, index in slices():
        shown = [lesion for lesion in LESIONS if patient.mask(lesion)[index].any()]
        assert patient.classes[index] == (shown[0] if shown else Finding.NORMAL)


def test_lesion_patients_keep_some_slices_without_a_lesion() -> None:
    for patient in cohort():
        free = patient.classes.count(Finding.NORMAL)
        assert free >= SMALL.lesions.free_slices
        assert (free < patient.volume.depth) == (patient.role.kind is not Finding.NORMAL)


def test_tissues_have_plausible_hounsfield_units() -> None:
    for patient in cohort():
        clean, healthy = patient.clean_hu, patient.lung & (patient.instances == 0)
        assert -920 < np.median(clean[healthy]) < -760
        if patient.role.kind is Finding.NODULE:
            assert -150 < np.median(clean[patient.mask(Finding.NODULE)]) < 90
        if patient.role.kind is Finding.GROUND_GLASS:
            assert -650 < np.median(clean[patient.mask(Finding.GROUND_GLASS)]) < -380


def test_noise_is_the_only_difference_between_scan_and_clean_scan() -> None:
    patient = cohort()[0]
    inside = patient.clean_hu > -200  # far from where values are clipped
    noise = (patient.volume.values.astype(float) - patient.clean_hu)[inside]
    assert abs(noise.mean()) < 3
    assert noise.std() == pytest.approx(patient.role.scanner.noise_hu, rel=0.05)


def test_vessels_are_confounders_as_bright_as_nodules() -> None:
    config = replace(PhantomConfig(), vessels=0.0)
    normal = next(i for i, r in enumerate(plan_roles(config)) if r.kind is Finding.NORMAL)
    bare, full = make_patient(config, normal), make_patient(PhantomConfig(), normal)
    bright = full.lung & (full.clean_hu > -200) & (bare.clean_hu < -600)
    assert bright.sum() > 100
    assert np.percentile(full.clean_hu[bright], 90) > -60


@pytest.mark.parametrize("patients", [(24, 6, 12), (9, 0, 9), (5, 4, 7)])
def test_every_kind_meets_every_scanner_equally_often_in_each_split(
    patients: tuple[int, int, int],
) -> None:
    roles = plan_roles(PhantomConfig(patients=patients))
    for split, count in zip(("train", "val", "test"), patients, strict=True):
        pairs = [(r.kind, r.scanner.name) for r in roles if r.split == split]
        names = {name for _, name in pairs}
        seen = [pairs.count((kind, name)) for kind in Finding for name in names]
        assert len(pairs) == count
        assert max(seen, default=0) - min(seen, default=0) <= 1


def test_scanner_tells_nothing_about_the_class_of_a_slice() -> None:
    patients = [make_patient(PhantomConfig(patients=(18, 0, 0), size_px=64), i) for i in range(18)]
    share = {}
    for patient in patients:
        shown = [finding is not Finding.NORMAL for finding in patient.classes]
        share.setdefault(patient.role.scanner.name, []).extend(shown)
    rates = [np.mean(values) for values in share.values()]
    assert len(rates) == 3
    assert max(rates) - min(rates) < 0.2


def test_pixels_grow_when_the_image_shrinks() -> None:
    small = make_patient(replace(PhantomConfig(), size_px=64), 0).volume.geometry
    large = make_patient(PhantomConfig(), 0).volume.geometry
    assert small.spacing_mm[1] == pytest.approx(2 * large.spacing_mm[1])
    assert small.spacing_mm[0] == large.spacing_mm[0] == 5.0


@pytest.mark.parametrize(
    "wrong",
    [{"patients": (0, 0, 0)}, {"slices": (9, 8)}, {"size_px": 8}, {"slice_mm": 0.0}],
)
def test_a_cohort_that_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="E_PHANTOM"):
        PhantomConfig(**wrong)


def test_lesions_larger_than_the_lung_are_refused() -> None:
    giant = replace(SMALL.lesions, nodule_radius_mm=(400.0, 500.0))
    with pytest.raises(InputError, match="E_PHANTOM"):
        make_patient(replace(SMALL, lesions=giant), SMALL.total)
