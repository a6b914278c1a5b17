"""Small batches and networks for tests of the model."""

from __future__ import annotations

import torch

from tetract.model import Network, NetworkSpec
from tetract.types import Task
from tetract.types.batch import Batch, BoxRow, Identity

SIDE = 64


def make_spec(*tasks: Task, side: int = SIDE, **changes: object) -> NetworkSpec:
    settings: dict[str, object] = {
        "tasks": tasks or tuple(Task),
        "classes": ("normal", "covid", "cancer"),
        "mask_classes": ("lung", "lesion"),
        "box_classes": ("nodule", "infection"),
        "image_px": side,
        "segmentation": {"widths": (32, 16, 16, 16, 8)},
        "reconstruction": {"widths": (32, 16, 16, 16, 8)},
        "detection": {"width": 16, "box_hidden": 32, "finest_stride": 2},
    }
    return NetworkSpec.model_validate(settings | changes)


def make_network(*tasks: Task, seed: int = 0, **changes: object) -> Network:
    torch.manual_seed(seed)
    return Network(make_spec(*tasks, **changes))


def make_boxes(*corners: tuple[float, float, float, float], masks: bool) -> BoxRow:
    xyxy = torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)
    drawn = torch.zeros(len(corners), SIDE, SIDE, dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(drawn, corners, strict=True):
        mask[int(y0) : int(y1), int(x0) : int(x1)] = True
    return BoxRow(
        xyxy=xyxy,
        labels=torch.zeros(len(corners), dtype=torch.int64),
        masks=drawn if masks else None,
        annotated=torch.tensor([True, False]),
    )


def make_scene(rows: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Slightly noisy images, each with a square of its own place and brightness; its masks."""
    generator = torch.Generator().manual_seed(seed)
    image = 0.3 + 0.02 * torch.randn(rows, 1, SIDE, SIDE, generator=generator)
    pixels = torch.zeros(rows, 2, SIDE, SIDE, dtype=torch.bool)
    for row in range(rows):
        low = 8 + 6 * row
        pixels[row, 0, low : low + 20, low : low + 20] = True
        pixels[row, 1, low : low + 10, low : low + 10] = True
        image[row, 0][pixels[row, 0]] += 0.1 + 0.1 * row
    return image.clamp(0, 1), pixels


def make_batch(
    rows: int = 4,
    *,
    label: dict[int, list[int]] | None = None,
    masks: dict[int, list[int]] | None = None,
    boxes: dict[int, BoxRow] | None = None,
    reconstruct: bool = True,
    seed: int = 0,
) -> Batch:
    """``label``: row -> candidate classes; ``masks``: row -> annotated channels."""
    candidates = torch.zeros(rows, 3, dtype=torch.bool)
    for row, classes in (label or {}).items():
        candidates[row, classes] = True
    annotated = torch.zeros(rows, 2, dtype=torch.bool)
    for row, channels in (masks or {}).items():
        annotated[row, channels] = True
    image, pixels = make_scene(rows, seed)
    found = tuple((boxes or {}).get(row) for row in range(rows))
    columns = [
        candidates.any(dim=1),
        annotated.any(dim=1),
        torch.full((rows,), reconstruct),
        torch.tensor([b is not None for b in found]),
    ]
    return Batch(
        image=image,
        labelled=torch.stack(columns, dim=1),
        label=candidates,
        masks=pixels & annotated[:, :, None, None],
        masks_annotated=annotated,
        boxes=found,
        identity=tuple(
            Identity(row=r, patient=f"p{r}", source="s", slice_index=0, spacing_mm=None)
            for r in range(rows)
        ),
    )


def full_batch() -> Batch:
    return make_batch(
        label={0: [0], 1: [1, 2]},
        masks={1: [0, 1], 2: [0]},
        boxes={
            0: make_boxes((8, 8, 28, 28), masks=True),
            1: make_boxes((14, 14, 34, 34), masks=False),
            3: make_boxes(masks=False),
        },
    )
