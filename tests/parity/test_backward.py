"""The analytic backward recursion against autograd, float64."""

import pytest
import torch

from seqviz.models.cells import CELLS, make_cell
from seqviz.tracing.backward import cell_gradients


def _autograd(cell, x, from_above):
    """Gradients of L = Σ_t from_above_t · h_t by autograd over a step-by-step run that keeps every tensor."""
    carry = cell.initial_carry(1)
    pres, hiddens, cells = [], [], []
    for t in range(x.shape[1]):
        projected = cell.project_input(x[:, t])
        carry, values = cell.step(projected, carry)
        for tensor, kept in zip((values["pre_activation"], *carry), (pres, hiddens, cells), strict=False):
            tensor.retain_grad()
            kept.append(tensor)
    sum((h[0] * d).sum() for h, d in zip(hiddens, from_above, strict=True)).backward()
    stacked = [torch.stack([tensor.grad[0] for tensor in kept]) for kept in (hiddens, cells) if kept]
    return stacked, cell.weight_hidden.grad, hiddens


@pytest.mark.parametrize("name", CELLS)
def test_the_analytic_recursion_equals_autograd_to_1e_10(name):
    torch.manual_seed(3)
    cell = make_cell(name, 5, 7).double()
    x, from_above = torch.randn(1, 12, 5).double(), torch.randn(12, 7).double()
    expected, weight_gradient, hiddens = _autograd(cell, x, from_above)
    with torch.no_grad():
        values, _ = cell.record(x, cell.initial_carry(1))
        found = cell_gradients(cell, {key: value[0] for key, value in values.items()}, from_above)
    for ours, theirs in zip((found.hidden_state, found.cell_state), expected, strict=False):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-14)
    # ∂L/∂W_h is the sum over steps of the outer products with the state before.
    h_before = torch.cat([torch.zeros(1, 7).double(), torch.cat(hiddens)[:-1]]).detach()
    seen = [h_before] * len(cell.block_names)
    if name == "gru_reset_before":
        seen[2] = values["reset_gate"][0] * h_before
    ours = torch.cat([found.recurrent[:, b].T @ seen[b] for b in range(len(seen))])
    torch.testing.assert_close(ours, weight_gradient, rtol=1e-10, atol=1e-14)


def test_doubling_the_error_doubles_every_gradient_exactly():
    torch.manual_seed(4)
    cell = make_cell("lstm", 3, 4).double()
    x, from_above = torch.randn(1, 9, 3).double(), torch.randn(9, 4).double()
    with torch.no_grad():
        values = {key: value[0] for key, value in cell.record(x, cell.initial_carry(1))[0].items()}
        once, twice = (cell_gradients(cell, values, from_above * factor) for factor in (1, 2))
    assert torch.equal(twice.hidden_state, 2 * once.hidden_state)
    assert torch.equal(twice.pre_activation, 2 * once.pre_activation)
