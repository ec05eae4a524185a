"""What a whole trace costs beside the fused forward pass alone, and beside a loop over the steps."""

from __future__ import annotations

from statistics import geometric_mean

import torch
from torch import Tensor

from benchmarks.measure import Table, interleaved_medians
from seqviz.checkpoints import CheckpointInfo
from seqviz.config import ModelConfig
from seqviz.models.cells import LSTMCell
from seqviz.models.loading import LoadedModel
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import TextEncoder
from seqviz.tracing.forward import to_tensors, trace

LETTERS = "abcdefghijklmnopqrstuvwxyz .,;:!?'-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HIDDEN_SIZE = 256
STEPS = (32, 128, 512)
ROUNDS = 60


def step_loop(cell: LSTMCell, x: Tensor) -> list[dict[str, Tensor]]:
    """One step after the other, all gates in two products, keeping every gate; x (batch, step, embedding)."""
    h, c = cell.initial_carry(len(x))
    recorded = []
    for x_t in x.unbind(1):
        z = x_t @ cell.weight_input.T + cell.bias_input + h @ cell.weight_hidden.T + cell.bias_hidden
        i, f, g, o = z.chunk(4, 1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c = f * c + i * g
        h = o * torch.tanh(c)
        recorded.append({"pre_activation": z, "i": i, "f": f, "g": g, "o": o, "c": c, "h": h})
    return recorded


def gate_by_gate_loop(cell: LSTMCell, x: Tensor) -> list[dict[str, Tensor]]:
    """An LSTM from scratch as teaching notebooks write it: two products for each gate and step, keeping every gate."""
    weights = [
        (w_x.T, w_h.T, b_x + b_h)
        for w_x, w_h, b_x, b_h in zip(
            *(block.chunk(4) for block in (cell.weight_input, cell.weight_hidden, cell.bias_input, cell.bias_hidden)),
            strict=True,
        )
    ]
    h, c = cell.initial_carry(len(x))
    recorded = []
    for x_t in x.unbind(1):
        i, f, g, o = (
            activation(x_t @ w_x + h @ w_h + b)
            for activation, (w_x, w_h, b) in zip(
                (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid), weights, strict=True
            )
        )
        c = f * c + i * g
        h = o * torch.tanh(c)
        recorded.append({"i": i, "f": f, "g": g, "o": o, "c": c, "h": h})
    return recorded


def character_model() -> LoadedModel:
    """A character language model with one LSTM layer of 256 units and random weights."""
    encoder = TextEncoder.build([LETTERS], kind="character")
    size = len(encoder.vocabulary)
    config = ModelConfig(
        task="language_model",
        cell="lstm",
        vocabulary_size=size,
        embedding_size=HIDDEN_SIZE,
        hidden_size=HIDDEN_SIZE,
        output_size=size,
    )
    info = CheckpointInfo(
        name="random",
        title="Random weights",
        family="benchmark",
        config=config,
        labels=(),
        figures={},
        restricted=False,
        sha256={},
    )
    return LoadedModel(info=info, model=SequenceModel(config).eval().requires_grad_(False), encoder=encoder)


def measure() -> Table:
    """LSTM, 256 units, batch 1, one thread; one column for each number of steps."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    loaded = character_model()
    cell = loaded.model.stack.layers[0]["forward_cell"]
    rows: dict[str, list[str]] = {}
    cell_costs, trace_costs, gains, trace_gains, notebook_gains = [], [], [], [], []
    for steps in STEPS:
        text = (LETTERS * (steps // len(LETTERS) + 1))[:steps]
        ids, _ = to_tensors(loaded.encoder.encode(text))
        x, carry = loaded.model.embed(ids), cell.initial_carry(1)
        with torch.inference_mode():
            seconds = interleaved_medians(
                {
                    "fused": lambda x=x, carry=carry: cell.run(x, carry),
                    "record": lambda x=x, carry=carry: cell.record(x, carry),
                    "loop": lambda x=x: step_loop(cell, x),
                    "notebook": lambda x=x: gate_by_gate_loop(cell, x),
                    "model": lambda ids=ids: loaded.model(ids),
                    "trace": lambda text=text: trace(loaded, text),
                },
                rounds=ROUNDS,
            )
        cell_costs.append(seconds["record"] / seconds["fused"])
        gains.append(seconds["loop"] / seconds["record"])
        trace_costs.append(seconds["trace"] / seconds["model"])
        trace_gains.append(seconds["loop"] / seconds["trace"])
        notebook_gains.append(seconds["notebook"] / seconds["trace"])
        for name, value in (
            ("fused kernel, states only: `cell.run`", 1.0),
            ("every gate of every step: `cell.record`", cell_costs[-1]),
            ("loop over the steps, keeping every gate", seconds["loop"] / seconds["fused"]),
            ("the same, gate by gate as in notebooks", seconds["notebook"] / seconds["fused"]),
            ("whole model, fused, logits only: `model(ids)`", seconds["model"] / seconds["fused"]),
            ("whole trace from the text on: `trace(model, text)`", seconds["trace"] / seconds["fused"]),
        ):
            rows.setdefault(name, []).append(f"{value:.2f}")
    return Table(
        title="A whole trace, beside the forward pass alone",
        says=(
            f"LSTM with {HIDDEN_SIZE} units, batch 1, one thread. Time as a multiple of the fused kernel that returns "
            "the hidden states and nothing else. A trace also splits the text, and hands every number over as a "
            "read-only numpy array."
        ),
        header=("", *(f"{steps} steps" for steps in STEPS)),
        rows=tuple((name, *values) for name, values in rows.items()),
        goals=(
            f"Every gate, beside the fused kernel (aim: at most 1.8 times): {_list(cell_costs)}.",
            f"A whole trace, beside the whole model's fused pass (aim: at most 1.8 times): {_list(trace_costs)}.",
            (
                f"Every gate, faster than the loop over the steps (aim: at least 2 times): {_list(gains)}; "
                f"geometric mean {geometric_mean(gains):.2f}."
            ),
            (
                f"A whole trace with text and logits, faster than that loop alone: {_list(trace_gains)}; "
                f"than the loop as notebooks write it: {_list(notebook_gains)}."
            ),
        ),
    )


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
