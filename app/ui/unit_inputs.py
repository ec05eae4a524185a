"""The inputs of the Units page: model and long text. All of them stand in the URL, but for a long text of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from app.ui.installed import take_model
from app.ui.url import bound, forget, keep, take, take_matching
from app.ui.views import view_choice
from seqviz.backends.requests import TraceRequest
from seqviz.checkpoints import CheckpointInfo
from seqviz.i18n import Translator
from seqviz.long_examples import OPENING, long_example, piece_kind
from seqviz.units import MAX_LONG_PIECES

Source = Literal["example", "own", "written"]
SOURCE_KEY = "origin"
NONE = "none"
FIRST_MODEL = "shakespeare-lstm-2x512"
MAX_LINK_LENGTH = 1000
"""Characters of a text of one's own that still go into the link."""
MAX_AREA_LENGTH = 300_000
LENGTHS = ("1000", "2000", "5000", "10000", "20000")
TEMPERATURES = (0.0, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Which model reads what.

    Args:
        run: model and text.
        source: where the text comes from.
        second: a model that reads the same text beside the first; empty for none.
    """

    run: TraceRequest
    source: Source
    second: str = ""


def reading_inputs(models: dict[str, CheckpointInfo], t: Translator) -> Reading:
    """Draws view, model and text, and returns what the last two say; the view stands in the session."""
    view_choice(
        {
            "unit": t("What is this unit for?"),
            "saturation": t("Saturation"),
            "moments": t("Similar moments"),
        },
        t,
    )
    left, beside, right = st.columns([30, 30, 42], vertical_alignment="bottom")
    first = FIRST_MODEL if FIRST_MODEL in models else next(iter(models))
    take_model({name: info.title for name, info in models.items()}, first, t)
    model = left.selectbox(
        t("Model"), list(models), key="model", format_func=lambda name: models[name].title, on_change=_forget
    )
    keep("model", first)
    writes = models[model].config.task == "language_model"
    sources: list[Source] = ["example", "own", *(["written"] if writes else [])]  # type: ignore[list-item]
    _follow_old_link(sources)
    take(SOURCE_KEY, sources, sources[0])
    source = right.segmented_control(
        t("Text"),
        sources,
        required=True,
        wrap=True,
        key=SOURCE_KEY,
        format_func=lambda name: {
            "example": t("example"),
            "own": t("my own"),
            "written": t("written by the model"),
        }[name],
        on_change=_forget,
    )
    keep(SOURCE_KEY, sources[0])
    second = _second(beside, model, models, t)
    if source == "own":
        run = TraceRequest(model=model, text=_own_text(models[model], t))
    elif source == "written":
        run = _written(model, t)
    else:
        run = TraceRequest(model=model, text=_example(models[model]))
    return Reading(run=run, source=source or sources[0], second=second)


def _second(
    column: st.delta_generator.DeltaGenerator, model: str, models: dict[str, CheckpointInfo], t: Translator
) -> str:
    """Draws the choice of a second model of the same task that reads the same pieces; empty for none."""
    own = models[model]
    others = [
        name
        for name, info in models.items()
        if name != model and info.config.task == own.config.task and piece_kind(info.config) == piece_kind(own.config)
    ]
    if not others:
        return ""
    options = [NONE, *others]
    take("model2", options, NONE)
    second = column.selectbox(
        t("Compare with"),
        options,
        key="model2",
        format_func=lambda name: t("nothing") if name == NONE else models[name].title,
    )
    keep("model2", NONE)
    return "" if second == NONE else str(second)


def _example(info: CheckpointInfo) -> str:
    return long_example(info.config.task, piece_kind(info.config))


def _forget() -> None:
    """Another model or text has other units, and other things at the same place."""
    for key in ("unit", "span"):
        forget(key)


def _own_text(info: CheckpointInfo, t: Translator) -> str:
    # The widget has a key of its own, since a long text does not go into the URL.
    linked = take_matching("long", ".+", "")
    if linked and linked != st.session_state.get("units-linked"):
        st.session_state["units-own"] = st.session_state["units-linked"] = linked
    elif "units-own" not in st.session_state:
        st.session_state["units-own"] = _example(info)[:600]
    text = st.text_area(
        t("Your text, at most {limit} characters or words").format(limit=f"{MAX_LONG_PIECES:,}"),
        key="units-own",
        height=140,
        max_chars=MAX_AREA_LENGTH,
        help=t("Up to {limit} characters go into the link; a longer text does not.").format(limit=MAX_LINK_LENGTH),
    )
    text = text or ""
    st.session_state["long"] = st.session_state["units-linked"] = text if len(text) <= MAX_LINK_LENGTH else ""
    keep("long", "")
    if len(text) > MAX_LINK_LENGTH:
        st.caption(t("This text is too long for the link: a link opens the page without it."))
    return text


def _written(model: str, t: Translator) -> TraceRequest:
    left, middle, right, last = st.columns([3, 3, 2, 4], vertical_alignment="bottom")
    take("length", LENGTHS, LENGTHS[1])
    length = left.select_slider(t("Pieces to write"), LENGTHS, key="length", format_func=lambda one: f"{int(one):,}")
    keep("length", LENGTHS[1])
    temperature = middle.select_slider(
        t("Temperature"),
        TEMPERATURES,
        0.8,
        key="temp",
        bind="query-params",
        help=t("0 always takes the most probable character; higher values draw from softmax(logits / temperature)."),
    )
    seed = right.number_input(t("Seed"), 0, 2**31 - 1, 1, key="seed", bind=bound("seed"))
    opening = last.text_input(t("It begins with"), OPENING, key="opening", bind="query-params", autocomplete="off")
    return TraceRequest(
        model=model,
        text=opening or "",
        structure="one_to_many",
        generate=int(length),
        temperature=float(temperature),
        seed=int(seed),
    )


def offer_cut(end: int, t: Translator) -> None:
    """A button that cuts a text that is too long."""
    st.button(
        t("Read only its beginning, {count} characters").format(count=f"{end:,}"),
        icon=":material/content_cut:",
        on_click=_cut,
        args=(end,),
    )


def _cut(end: int) -> None:
    st.session_state["units-own"] = st.session_state["units-own"][:end]


def _follow_old_link(sources: Sequence[str]) -> None:
    """Links of before had the name that the sentence of a translation has."""
    old = st.query_params.get("source")
    if old is not None and old in sources and SOURCE_KEY not in st.query_params:
        st.query_params[SOURCE_KEY] = old
        del st.query_params["source"]
