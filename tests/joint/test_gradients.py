"""Task gradients: compared, mixed, and put where the optimiser looks."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
from torch.nn import Parameter

from joint_cases import C, R, S, draws
from tetract.errors import Exit, MachineError
from tetract.joint import (
    Balance,
    JointConfig,
    TaskGradients,
    add_gradients,
    compared,
    task_gradients,
)
from tetract.joint.pcgrad import pcgrad
from tetract.joint.upgrad import make_upgrad
from tetract.types import Task


def products_of(*rows: list[float]) -> torch.Tensor:
    table = torch.tensor(rows, dtype=torch.float64)
    return table @ table.T


def paper_pcgrad(rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Algorithm 1 of Yu et al. 2020, on the gradients themselves."""
    projected = rows.clone()
    for own in range(len(rows)):
        for other in torch.randperm(len(rows), generator=generator).tolist():
            product = projected[own] @ rows[other]
            if other != own and product < 0:
                projected[own] -= product / rows[other].square().sum() * rows[other]
    return projected.sum(dim=0)


def test_pcgrad_takes_away_what_two_gradients_have_against_each_other() -> None:
    # (1, 0) and (-1/2, 1): 1 + 1/2 of the first, 1 + (1/2) / (5/4) of the second.
    shares = pcgrad(products_of([1.0, 0.0], [-0.5, 1.0]), draws())
    assert shares.tolist() == pytest.approx([1.5, 1.4])


def test_pcgrad_leaves_gradients_that_agree_as_they_are() -> None:
    assert pcgrad(products_of([1.0, 0.0], [0.5, 1.0], [0.0, 0.0]), draws()).tolist() == [1, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_pcgrad_by_products_is_the_paper_on_the_gradients(seed: int) -> None:
    rows = torch.randn(4, 3, generator=draws(seed), dtype=torch.float64)
    shares = pcgrad(rows @ rows.T, draws(seed))
    torch.testing.assert_close(shares @ rows, paper_pcgrad(rows, draws(seed)))


def test_upgrad_of_torchjd_finds_a_direction_that_nobody_objects_to() -> None:
    pytest.importorskip("quadprog")
    pytest.importorskip("torchjd")
    upgrad = make_upgrad()
    for scale in (1.0, 1e-5):
        rows = scale * torch.tensor([[1.0, 0.0], [-0.5, 1.0]], dtype=torch.float64)
        shares = upgrad(rows @ rows.T, draws())
        # Projections (1, 0) + 0.4 (-1/2, 1) and (-1/2, 1) + 1/2 (1, 0), as for PCGrad of two.
        assert shares.tolist() == pytest.approx([1.5, 1.4], abs=1e-3)
        assert bool((rows @ (shares @ rows) >= 0).all())
    agreeing = products_of([1.0, 0.0], [0.5, 1.0])
    assert upgrad(agreeing, draws()).tolist() == pytest.approx([1.0, 1.0], abs=1e-3)


def test_upgrad_hands_torchjd_products_of_unit_scale_and_adds_where_it_averages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[torch.Tensor] = []

    class UPGradWeighting:
        def __call__(self, products: torch.Tensor) -> torch.Tensor:
            given.append(products)
            return torch.full((len(products),), 1 / len(products), dtype=products.dtype)

    fake = ModuleType("torchjd.aggregation")
    fake.__dict__["UPGradWeighting"] = UPGradWeighting
    monkeypatch.setitem(sys.modules, "torchjd", ModuleType("torchjd"))
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", fake)
    balance = Balance(JointConfig(method="upgrad"), (C, S))
    assert balance.mix is not None
    assert balance.mix(1e-8 * products_of([3.0], [1.0]), draws()).tolist() == [1.0, 1.0]
    assert float(given[0].diagonal().sum()) == pytest.approx(1.0)
    assert balance.mix(torch.zeros(2, 2, dtype=torch.float64), draws()).tolist() == [1.0, 1.0]


def test_upgrad_without_torchjd_is_the_machines_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torchjd", "torchjd.aggregation"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MachineError, match=r"E_NO_TORCHJD joint\.method: .*extra upgrad") as caught:
        Balance(JointConfig(method="upgrad"), (C, S))
    assert caught.value.exit_code == Exit.MACHINE
    assert len(str(caught.value).splitlines()) == 1


def two_heads() -> tuple[list[Parameter], list[Parameter], dict[Task, torch.Tensor]]:
    shared = [Parameter(torch.tensor([1.0, 2.0])), Parameter(torch.tensor([3.0]))]
    own = [Parameter(torch.tensor(2.0)), Parameter(torch.tensor(5.0))]
    losses = {
        C: own[0] * shared[0].sum(),
        S: own[1] * (shared[0] * torch.tensor([1.0, -1.0])).sum() + shared[1].sum(),
    }
    return shared, own, losses


def test_gradients_come_task_by_task_and_touch_no_weight() -> None:
    shared, own, losses = two_heads()
    gradients = task_gradients(losses, shared, own, keep_graph=True)
    assert all(p.grad is None for p in (*shared, *own))
    assert [None if g is None else g.tolist() for g in gradients.shared[0]] == [[2, 2], None]
    assert [None if g is None else g.tolist() for g in gradients.shared[1]] == [[5, -5], [1]]
    assert [None if g is None else float(g) for g in gradients.own[0]] == [3.0, None]
    assert [None if g is None else float(g) for g in gradients.own[1]] == [None, -1.0]
    sum(losses.values(), start=torch.zeros(())).backward()  # the graph is still there


def test_norms_and_cosines_are_those_on_the_shared_weights() -> None:
    shared, own, losses = two_heads()
    gradients = task_gradients(losses, shared, own, keep_graph=False)
    said = compared(gradients.tasks, gradients.products())
    # (2, 2 | 0) and (5, -5 | 1) are orthogonal; norms are the roots of 8 and 51.
    assert said == pytest.approx(
        {
            "norm/classification": 8**0.5,
            "norm/segmentation": 51**0.5,
            "cosine/classification_segmentation": 0.0,
        }
    )


def test_a_gradient_of_zero_has_a_norm_and_no_cosine() -> None:
    said = compared((C, R), products_of([0.0, 0.0], [3.0, 4.0]))
    assert said == {"norm/classification": 0.0, "norm/reconstruction": 5.0}


def test_a_loss_that_no_weight_leads_to_has_no_gradient() -> None:
    weight = Parameter(torch.ones(1))
    losses = {C: torch.tensor(1.0), S: weight.sum()}
    gradients = task_gradients(losses, [weight], keep_graph=False)
    assert gradients.shared[0] == (None,)
    assert gradients.products().tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_gradients_are_added_to_what_is_there() -> None:
    weights = [Parameter(torch.ones(2)), Parameter(torch.ones(1)), Parameter(torch.ones(1))]
    weights[0].grad = torch.tensor([10.0, 10.0])
    rows = [(torch.tensor([1.0, 2.0]), torch.tensor([1.0]), None), (torch.ones(2), None, None)]
    add_gradients(weights, rows, [2.0, 0.5])
    found = [None if p.grad is None else p.grad.tolist() for p in weights]
    assert found == [[12.5, 14.5], [2.0], None]


def test_gradients_that_are_no_numbers_are_left_to_the_check_that_follows() -> None:
    balance = Balance(JointConfig(method="pcgrad", classification=2.0), (C, S))
    row = (torch.tensor([float("nan")]),)
    gradients = TaskGradients(tasks=(C, S), shared=(row, row), own=((), ()))
    assert balance.shares(gradients, {C: 2.0, S: 1.0}, draws()) == [2.0, 1.0]
