"""The unrolled network."""

from __future__ import annotations

from seqviz.backends.requests import TraceRequest
from seqviz.charts.figure import Figure
from seqviz.charts.unroll import unroll_figure
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.pictures.base import DEFAULT, Appearance, ask, traced
from seqviz.traces import Structure


def unroll(
    model: str,
    text: str,
    *,
    structure: Structure | None = None,
    beside: tuple[str, str] | None = None,
    quantity: str = "hidden_state",
    appearance: Appearance = DEFAULT,
) -> Figure:
    """A sentence flowing through a recurrent model (the app's Unroll).

    Args:
        model: name of a checkpoint.
        text: the sentence.
        structure: None for the natural one of the model's task.
        beside: model and text of a second run, for a comparison.
        quantity: of the heatmap.
        appearance: how it looks.
    """
    trace = ask(TraceRequest(model=model, text=text, structure=structure))
    options = UnrollOptions(font_size=appearance.font_size, notation=appearance.notation, quantity=quantity)
    compare = None if beside is None else traced(*beside)
    return unroll_figure(trace, options=options, compare=compare, t=appearance.t, language=appearance.tag)
