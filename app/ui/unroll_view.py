"""The Unroll page's picture: its options, its drawing, and the moment in focus."""

from __future__ import annotations

import streamlit as st

from app.ui.figure import show_figure
from app.ui.focus import picture_focus
from app.ui.numbers_panel import ask_sums, numbers_panel
from app.ui.settings import Settings
from app.ui.unroll_inputs import Inputs
from app.ui.url import keep, take
from seqviz.charts.figure import Figure
from seqviz.charts.notation import quantity_name
from seqviz.charts.unroll import UnrollOptions, unroll_figure
from seqviz.charts.unroll_layout import SORTS, Sort
from seqviz.checkpoints import fingerprint
from seqviz.i18n import Translator, translator
from seqviz.traces import LayerTrace, RecurrentTrace

_FIGURE_KEY = "unroll-figure"


def picture_options(trace: RecurrentTrace, settings: Settings) -> UnrollOptions:
    """Draws the controls of the heatmap and returns how the picture is to be drawn."""
    t = settings.t
    parts = {f"{part.layer}.{part.direction}": part for part in trace.layers}
    top = list(parts)[-2 if trace.layers[-1].direction == "backward" else -1]
    take("layer", list(parts), top)
    part = parts[
        st.selectbox(t("Layer"), list(parts), key="layer", format_func=lambda name: layer_name(parts[name], t))
    ]
    keep("layer", top)
    quantities = list(part.quantities())[::-1]
    take("quantity", quantities, "hidden_state")
    quantity = st.selectbox(
        t("Quantity"), quantities, key="quantity", format_func=lambda name: quantity_name(name, t=t)
    )
    keep("quantity", "hidden_state")
    take("sort", SORTS, SORTS[0])
    sort = st.selectbox(t("Order of units"), SORTS, key="sort", format_func=lambda name: sort_name(name, t))
    keep("sort", SORTS[0])
    relative = st.toggle(t("Each unit on its own scale"), key="relative", bind="query-params")
    cell_state = part.cell_state is not None and st.toggle(t("Show cell states"), key="cells", bind="query-params")
    return UnrollOptions(
        font_size=settings.font_size,
        notation=settings.notation,
        layer=part.layer,
        direction=part.direction,
        quantity=quantity,
        sort=sort,
        relative=relative,
        show_cell_state=cell_state,
    )


def drawn(inputs: Inputs, traces: list[RecurrentTrace], options: UnrollOptions, settings: Settings) -> Figure:
    """The picture, drawn once for all visitors who look at the same thing."""
    versions = tuple(fingerprint(request.model) for request in inputs.requests)
    return _drawn(inputs, versions, options, settings.language, traces)


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn(
    inputs: Inputs, versions: tuple[str, ...], options: UnrollOptions, language: str, _traces: list[RecurrentTrace]
) -> Figure:
    # The traces follow from the inputs and the models' versions, so they are no part of the key.
    del inputs, versions
    compare = _traces[1] if len(_traces) > 1 else None
    return unroll_figure(
        _traces[0], options=options, compare=compare, t=translator(language), language=language.replace("_", "-")
    )


@st.fragment
def unroll_view(
    figure: Figure, inputs: Inputs, traces: list[RecurrentTrace], options: UnrollOptions, settings: Settings
) -> None:
    """The picture and, below it, the numbers of the moment in focus; stepping reruns only this."""
    focus = picture_focus(_FIGURE_KEY, traces[0], options)
    ask_sums(inputs, traces, focus)
    show_figure(figure, key=_FIGURE_KEY, focus=focus.to_dict())
    numbers_panel("unroll", inputs, traces, focus, settings)


def layer_name(part: LayerTrace, t: Translator) -> str:
    """A layer and direction for people."""
    direction = t("forward") if part.direction == "forward" else t("backward")
    return t("{layer}, {direction}").format(layer=part.layer + 1, direction=direction)


def sort_name(sort: Sort, t: Translator) -> str:
    """An order of units for people."""
    return {"index": t("as in the model"), "variance": t("liveliest first"), "similarity": t("alike together")}[sort]
