"""One sequence takes another way through the common cells than a batch: the numbers are the same."""

from __future__ import annotations

import pytest
import torch

from seqviz.models import record_loop
from seqviz.models.cells import make_cell


def _recorded(cell, x, carry):
    with torch.inference_mode():
        return cell.record(x, carry)


@pytest.mark.parametrize("name", ["rnn_tanh", "gru", "lstm"])
@pytest.mark.parametrize("steps", [1, 2, 60])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
def test_the_loop_records_what_the_fused_kernel_records(name, steps, dtype, tolerance, monkeypatch):
    torch.manual_seed(1)
    cell = make_cell(name, 5, 7).to(dtype)
    x = torch.randn(1, steps, 5, dtype=dtype)
    carry = tuple(torch.randn(1, 7, dtype=dtype) for _ in cell.initial_carry(1))
    loop, loop_last = _recorded(cell, x, carry)
    monkeypatch.setattr(record_loop, "fits", lambda x: False)
    fused, fused_last = _recorded(cell, x, carry)
    assert loop.keys() == fused.keys()
    for key, values in loop.items():
        torch.testing.assert_close(values, fused[key], rtol=0, atol=tolerance)
    for ours, theirs in zip(loop_last, fused_last, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_saturated_gates_are_0_and_1_without_a_warning(name, recwarn):
    cell = make_cell(name, 1, 2)
    with torch.inference_mode():
        for parameter in cell.parameters():
            parameter.fill_(100.0)
        values, _ = cell.record(torch.tensor([[[10.0], [-10.0]]]), cell.initial_carry(1))
    gate = values["update_gate" if name == "gru" else "forget_gate"][0]
    assert gate[0].tolist() == [1.0, 1.0]
    assert gate[1].tolist() == [0.0, 0.0]
    assert not recwarn


def test_the_weights_and_the_input_stay_as_they_are():
    cell = make_cell("lstm", 3, 4)
    x = torch.randn(1, 6, 3)
    before = [parameter.clone() for parameter in cell.parameters()]
    seen = x.clone()
    _recorded(cell, x, cell.initial_carry(1))
    assert torch.equal(x, seen)
    assert all(torch.equal(a, b) for a, b in zip(before, cell.parameters(), strict=True))
