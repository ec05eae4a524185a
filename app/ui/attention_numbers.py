"""One cell of the map taken apart: the decoder's state, scores, softmax, the context and the next word."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.ui.attention_inputs import Chosen
from app.ui.backend import ask, show_error
from app.ui.charts import show_chart
from app.ui.plain import as_text
from app.ui.same_moment import translation_links
from app.ui.settings import Settings, look_of
from app.ui.url import keep, take
from seqviz.analysis.attention import Unit
from seqviz.attention import AttentionStep
from seqviz.backends.attention_requests import AttentionStepRequest
from seqviz.charts.attention_math import (
    SCORE_TITLES,
    TERM_NAMES,
    attention_equations,
    attention_snippet,
    cell_sentence,
    filled_cell,
    score_terms,
)
from seqviz.charts.attention_step import next_pieces_chart, weights_chart
from seqviz.charts.notation import visible
from seqviz.errors import SeqvizError


def cell_panel(chosen: Chosen, unit: Unit, row: int, column: int, settings: Settings) -> None:
    """Draws the numbers of a cell.

    Args:
        chosen: the translation.
        unit: what rows and columns are.
        row, column: of the cell, from 0.
        settings: of the reader.
    """
    t = settings.t
    step = _piece_of_row(chosen, unit, row, settings)
    try:
        found = ask(AttentionStepRequest(model=chosen.model, text=chosen.text, ids=chosen.ids, step=step))
    except SeqvizError as error:
        show_error(error, t)
        return
    piece = _piece_of_column(found, unit, column)
    st.markdown(
        t("Step **{step}** of {count}: {words}").format(
            step=step + 1, count=len(found.target), words=cell_sentence(found, piece, t=t).replace("_", r"\_")
        )
    )
    translation_links("heatmap", chosen.text, chosen.model, t, step=step, pieces=len(found.source), which=chosen.which)
    _equations(found, piece, settings)
    look = look_of(settings)
    tabs = st.tabs([t("Weights"), t("Next piece"), t("The score, addend by addend"), t("Context"), "PyTorch"])
    with tabs[0]:
        show_chart(weights_chart(found, column=piece, **look))
    with tabs[1]:
        show_chart(next_pieces_chart(found, **look))
    with tabs[2]:
        _terms(found, piece, settings)
    with tabs[3]:
        _context(found, settings)
    with tabs[4]:
        st.code(attention_snippet(found, piece), language="python")


def _piece_of_row(chosen: Chosen, unit: Unit, row: int, settings: Settings) -> int:
    """The step of a row: of a word with several pieces the reader chooses one."""
    if unit == "pieces":
        return row
    start, end = chosen.translation.target.words[row]
    if end - start == 1:
        return start
    pieces = chosen.translation.target.pieces
    options = [str(index) for index in range(end - start)]
    take("piece", options, "0")
    chosen_piece = st.segmented_control(
        settings.t("Piece of {word}").format(word=as_text(chosen.translation.target.labels[row])),
        options,
        required=True,
        key="piece",
        format_func=lambda index: as_text(visible(pieces[start + int(index)])),
    )
    keep("piece", "0")
    return start + int(chosen_piece or 0)


def _piece_of_column(found: AttentionStep, unit: Unit, column: int) -> int:
    """Of a source word the piece that received most."""
    if unit == "pieces":
        return column
    start, end = found.source.words[column]
    return start + int(found.weights[start:end].argmax())


def _equations(found: AttentionStep, piece: int, settings: Settings) -> None:
    general = attention_equations(found.score, notation=settings.notation)
    live = filled_cell(found, piece, notation=settings.notation)
    for latex in live:
        st.markdown(rf"$\displaystyle {latex}$")
    with st.expander(settings.t("The equations of this attention")):
        st.caption(settings.t(SCORE_TITLES[found.score]))
        for latex in general:
            st.markdown(rf"$\displaystyle {latex}$")
        st.caption(
            settings.t(
                "s is the state of the lowest decoder layer at this step, the query; the context feeds the layers "
                "above. Steps and source pieces count from 1 in the formulas."
            )
        )


def _terms(found: AttentionStep, piece: int, settings: Settings) -> None:
    t = settings.t
    left, right = TERM_NAMES[found.score]
    terms = score_terms(found, piece)
    frame = pd.DataFrame(terms).rename(
        columns={"component": "k", "left": left, "right": right, "product": t("product")}
    )
    frame[t("running sum")] = frame[t("product")].cumsum()
    st.dataframe(frame, hide_index=True, height=260, width="stretch")
    st.caption(
        t("{count} addends, the biggest first; they sum to e = {value}.").format(
            count=len(terms), value=f"{sum(term['product'] for term in terms):.6f}"
        )
    )


def _context(found: AttentionStep, settings: Settings) -> None:
    t = settings.t
    unit = int(st.number_input(t("Component of the context"), 0, len(found.context) - 1, 0, key="context-unit"))
    frame = pd.DataFrame(
        {
            t("source piece"): [visible(piece) for piece in found.source.pieces],
            "α": found.weights.astype(float),
            f"h[{unit}]": found.encoder_states[:, unit].astype(float),
            "α · h": (found.weights * found.encoder_states[:, unit]).astype(float),
        }
    )
    st.dataframe(frame, hide_index=True, height=260, width="stretch")
    st.caption(
        t("Σ α h = {value}: component {unit} of the context; its {count} components go into the layers above.").format(
            value=f"{float(found.context[unit]):.6f}", unit=unit, count=len(found.context)
        )
    )
