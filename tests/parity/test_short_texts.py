"""Short texts take another way through the LSTM than long ones: the numbers are the same."""

from __future__ import annotations

import pytest
import torch

from seqviz.models import cells


@pytest.mark.parametrize("steps", [1, 2, 20, cells.SHORT_TEXT])
def test_the_loop_for_short_texts_records_what_the_fused_kernel_records(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    cell = cells.make_cell("lstm", 5, 7).double()
    x, carry = torch.randn(1, steps, 5).double(), (torch.randn(1, 7).double(), torch.randn(1, 7).double())
    with torch.inference_mode():
        short, short_last = cell.record(x, carry)
        monkeypatch.setattr(cells, "SHORT_TEXT", 0)
        fused, fused_last = cell.record(x, carry)
    assert short.keys() == fused.keys()
    for name, values in short.items():
        torch.testing.assert_close(values, fused[name], rtol=0, atol=1e-12)
    for ours, theirs in zip(short_last, fused_last, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
