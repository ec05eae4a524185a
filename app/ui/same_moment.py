"""Ways from a moment that is looked at to the same moment in another view."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.ui.attention_inputs import CELL_KEY, UNIT_KEY, WHICH_KEY
from app.ui.gradient_inputs import loss_steps
from app.ui.pages import app_pages
from app.ui.plain import in_code
from app.ui.translation_inputs import MODEL_KEY, TEXT_KEY
from app.ui.views import VIEW_KEY
from seqviz.backends.requests import TraceRequest
from seqviz.charts.encoder_decoder_layout import PairFocus
from seqviz.charts.notation import visible
from seqviz.charts.unroll_layout import UnrollFocus
from seqviz.i18n import Translator
from seqviz.memory import keep_gate
from seqviz.traces import RecurrentTrace

STEP_KEY = "step"
"""The query parameter of the step at which a search tree opens, counted from 1."""

RUN_VIEWS = ("unroll", "gradients", "gates")
PAIR_VIEWS = ("tree", "network", "heatmap")


def moment_heading(
    page: str, letter: str, request: TraceRequest, trace: RecurrentTrace, focus: UnrollFocus, t: Translator
) -> None:
    """Says which moment of a run is shown, and draws the ways to the same one in the other views of runs.

    Args:
        page: where the reader is, one of ``RUN_VIEWS``.
        letter: of the run, where there are two.
        request, trace: the run; what it wrote by itself goes along as text.
        focus: step, layer, direction and unit.
        t: the reader's language.
    """
    st.markdown(
        t("Step **{step}** of {count}, `{token}` · layer {layer} {direction} · unit **{unit}**").format(
            step=focus.step + 1,
            count=len(trace),
            token=in_code(visible(trace.originals[focus.step])),
            layer=focus.layer + 1,
            direction=t("forward") if focus.direction == "forward" else t("backward"),
            unit=focus.unit,
        )
    )
    here = {"text": _whole_text(trace), "model": request.model, "focus": focus.to_text()}
    ways: dict[str, dict[str, str]] = {"unroll": here | {"structure": trace.structure}}
    if steps := loss_steps(trace):
        # The loss of this very step, where it has one.
        ways["gradients"] = here | {VIEW_KEY: "time"}
        if focus.step in steps and trace.task != "classification":
            ways["gradients"]["loss"] = str(focus.step)
    if keep_gate(trace.layer(focus.layer, focus.direction)) is not None:
        ways["gates"] = here | {VIEW_KEY: "cell"}
    pages = app_pages(t)
    names = {
        "unroll": t("the whole run"),
        "gradients": t("its gradient"),
        "gates": t("its gates"),
    }
    _row(
        f"links-{page}-{letter}",
        t("This step:"),
        {names[name]: (pages[name].file, pages[name].icon, query) for name, query in ways.items() if name != page},
    )


def _whole_text(trace: RecurrentTrace) -> str:
    """What the run read: as it was typed, or with what the model wrote behind it."""
    if trace.structure != "one_to_many":
        return trace.text
    characters = all(len(piece) == 1 for piece in trace.originals)
    return ("" if characters else " ").join(trace.originals)


def translation_links(
    view: str,
    text: str,
    model: str,
    t: Translator,
    *,
    step: int | None = None,
    pieces: int = 0,
    which: str = "",
) -> None:
    """Draws the ways from a translation to the same one in the other views of translations.

    Args:
        view: where the reader is, one of ``PAIR_VIEWS``.
        text, model: the source and the model.
        t: the reader's language.
        step: of the target's piece in focus, from 0; None for none.
        pieces: of the source; needed with a step.
        which: the translation that is looked at, in the words of the Attention page; empty for the best one.
    """
    here = {TEXT_KEY: text, MODEL_KEY: model}
    tree, network, heatmap = (here | {VIEW_KEY: name} for name in PAIR_VIEWS)
    network["free"] = "greedy" if which == "greedy" else "beam"
    if which:
        heatmap[WHICH_KEY] = which
    if step is not None:
        tree[STEP_KEY] = str(step + 1)
        # Behind the source and the hand-over.
        network["moment"] = PairFocus(step=pieces + 1 + step, layer=0, row="free", unit=0).to_text()
        heatmap |= {UNIT_KEY: "pieces", CELL_KEY: f"{step + 1}.1"}
    pages = app_pages(t)
    ways: Mapping[str, tuple[str, str, dict[str, str]]] = {
        "tree": (t("its search"), "translate", tree),
        "network": (t("its states"), "translate", network),
        "heatmap": (t("its attention"), "attention", heatmap),
    }
    links = {
        title: (pages[page].file, pages[page].icon, query)
        for name, (title, page, query) in ways.items()
        if name != view
    }
    _row(f"links-{view}", t("This translation:") if step is None else t("This word:"), links)


def _row(key: str, title: str, links: Mapping[str, tuple[str, str, dict[str, str]]]) -> None:
    if not links:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key):
        st.caption(title, width="content")
        for label, (file, icon, query) in links.items():
            st.page_link(file, label=label, icon=icon, query_params=query, width="content")
