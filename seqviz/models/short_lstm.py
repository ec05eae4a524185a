"""The LSTM of short texts, step by step into buffers made beforehand.

The fused kernel rearranges the weights on every call, which a short text does not repay (docs/benchmarks.md). The
equations are those of ``seqviz.models.cells.LSTMCell``; parity tests hold both to 1e-12 of each other.
"""

from __future__ import annotations

import torch
from torch import Tensor

SHORT_TEXT = 48
"""Steps up to which this loop is faster than the fused kernel, batch 1."""


def record_short(
    projected: Tensor, weight_hidden: Tensor, carry: tuple[Tensor, ...]
) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
    """All steps with every quantity.

    Args:
        projected: W_x x + b_x + b_h of all steps, (step, block·unit); overwritten.
        weight_hidden: (block·unit, unit).
        carry: h and c before the first step, each (1, unit).

    Returns:
        the values of ``LSTMCell.record``, each (1, step, ...), and the last carry.
    """
    steps, units = len(projected), weight_hidden.shape[1]
    z, gates = projected, torch.empty_like(projected)
    candidate, squashed = z.new_empty(steps, units), z.new_empty(units)
    h, c = (torch.cat([state, z.new_empty(steps, units)]) for state in carry)
    i, f, _, o = gates.unflatten(-1, (4, -1)).unbind(1)
    by_block = z.unflatten(-1, (4, -1))
    states = zip(h.unbind(0), c.unbind(0), h[1:].unbind(0), c[1:].unbind(0), strict=False)
    blocks = zip(*(v.unbind(0) for v in (z, gates, i, f, candidate, o, by_block[:, 2])), strict=True)
    for (h_before, c_before, h_t, c_t), (z_t, gates_t, i_t, f_t, g_t, o_t, z_g) in zip(states, blocks, strict=True):
        z_t.addmv_(weight_hidden, h_before)
        torch.sigmoid(z_t, out=gates_t)
        torch.tanh(z_g, out=g_t)
        torch.mul(f_t, c_before, out=c_t).addcmul_(i_t, g_t)
        torch.mul(o_t, torch.tanh(c_t, out=squashed), out=h_t)
    values = {
        "pre_activation": by_block,
        "input_gate": i,
        "forget_gate": f,
        "candidate": candidate,
        "output_gate": o,
        "cell_state": c[1:],
        "hidden_state": h[1:],
    }
    return {name: value.unsqueeze(0) for name, value in values.items()}, (h[-1:], c[-1:])
