"""What a clipping run is set up with: the widgets, and their values in the URL."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import show_error
from app.ui.url import keep, take
from seqviz.charts.clipping_text import cell_names, clipping_name, initialisation_names
from seqviz.clipping import (
    CLIPPINGS,
    INITIALISATIONS,
    LIMITS,
    LONG_TASKS,
    MAX_TEXT,
    OPTIMISERS,
    RUN_CELLS,
    Clipping,
    ClippingConfig,
)
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator

_DEFAULT = ClippingConfig()
_TEXT = (
    "The cat, which already ate the fish, was full. The cats, which already ate the fish, were full. "
    "The dog, which saw the cats, was hungry. The dogs, which saw the cat, were hungry."
)


def clipping_inputs(t: Translator) -> ClippingConfig | None:
    """Draws the inputs; None, and a sentence in place, where they cannot be used."""
    left, right = st.columns([5, 4], vertical_alignment="bottom")
    task = _choice(
        left,
        "segmented_control",
        t("Task"),
        "clip_task",
        LONG_TASKS,
        _DEFAULT.task,
        {"adding": t("Adding problem"), "copy": t("Copy memory"), "text": t("Next character of a text")},
    )
    variants = _variants(right, t)
    st.caption(
        {
            "adding": t("Two numbers of a long row are marked; after the last one the cell is to say their sum."),
            "copy": t("Five symbols, then blanks, then a signal: the cell is to say the symbols in their order."),
            "text": t("At every place of a text of yours the cell is to say the next character."),
        }[task]
    )
    text = ""
    if task == "text":
        text = st.text_area(
            t("Text, up to {count} characters").format(count=MAX_TEXT), _TEXT, key="clip_text", bind="query-params"
        )
    columns = st.columns([2, 1.4, 1.4, 1.4, 1.2], vertical_alignment="bottom")
    cell = _choice(columns[0], "selectbox", t("Cell"), "clip_cell", RUN_CELLS, _DEFAULT.cell, cell_names(t))
    rate = _number(columns[1], t("Learning rate"), "learning_rate", t)
    threshold = _number(columns[2], t("θ of the norm"), "threshold", t)
    value_threshold = _number(columns[3], t("θ of the values"), "value_threshold", t)
    with columns[4].popover(t("More"), icon=":material/tune:", width="stretch"):
        optimiser = _choice(
            st, "segmented_control", t("Optimiser"), "clip_optimiser", OPTIMISERS, _DEFAULT.optimiser,
            {"sgd": "SGD", "adam": "Adam"},
        )  # fmt: skip
        initialisation = _choice(
            st, "selectbox", t("First weights from state to state"), "clip_init", INITIALISATIONS,
            _DEFAULT.initialisation,
            initialisation_names(t),
        )  # fmt: skip
        whole = {
            field: _number(st, label, field, t)
            for field, label in (
                ("hidden_size", t("Hidden units")),
                ("length", t("Length")),
                ("batch_size", t("Sequences a step")),
                ("steps", t("Steps")),
                ("seed", t("Seed")),
            )
        }
    try:
        return ClippingConfig(
            task=task,  # type: ignore[arg-type]
            text=text or "",
            cell=cell,
            initialisation=initialisation,
            optimiser=optimiser,
            variants=variants,
            learning_rate=rate,
            threshold=threshold,
            value_threshold=value_threshold,
            **{field: int(value) for field, value in whole.items()},
        )
    except SeqvizError as error:
        show_error(error, t)
        return None


def _choice(
    place: object, kind: str, label: str, key: str, options: tuple[str, ...], default: str, names: dict[str, str]
) -> str:
    take(key, options, default)
    extra = {"required": True, "wrap": True} if kind == "segmented_control" else {}
    value = getattr(place, kind)(label, options, key=key, format_func=names.__getitem__, **extra)
    keep(key, default)
    return str(value or default)


def _number(place: object, label: str, field: str, t: Translator) -> float:
    """A number without bounds of its own: what is out of range is said in a sentence."""
    default = getattr(_DEFAULT, field)
    low, high = LIMITS[field]
    whole = isinstance(default, int)
    value = getattr(place, "number_input")(  # noqa: B009 (a column, or streamlit itself)
        label,
        value=default,
        step=1 if whole else default / 5,
        format="%d" if whole else "%g",
        key=f"clip_{field}",
        bind="query-params",
        help=t("{low} to {high}").format(low=f"{low:g}", high=f"{high:g}"),
    )
    return default if value is None else value


def _variants(place: object, t: Translator) -> tuple[Clipping, ...]:
    """Which ways of clipping run side by side; in the URL as ``clip_with=none.norm``."""
    state, key, default = st.session_state, "clip_with", ".".join(CLIPPINGS)
    url = st.query_params.get(key, default)
    if url != state.get(f"url-{key}") or key not in state:
        state[key] = [name for name in CLIPPINGS if name in url.split(".")] or list(CLIPPINGS)
    chosen = getattr(place, "pills")(  # noqa: B009
        t("Side by side"),
        CLIPPINGS,
        selection_mode="multi",
        key=key,
        format_func=lambda name: clipping_name(name, t),
    )
    found: tuple[Clipping, ...] = tuple(name for name in CLIPPINGS if name in chosen)
    text = ".".join(found)
    state[f"url-{key}"] = text
    if text == default:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = text
    return found
