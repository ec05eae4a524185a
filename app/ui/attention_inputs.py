"""What the views of the Attention page share: which translation is looked at, by words or pieces, which cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.backend import ask, show_error
from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate
from app.ui.url import bring_along, forget, keep, take, take_matching
from seqviz.analysis.attention import UNITS, Unit
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.translation_searches import attention_search
from seqviz.translations import ForcedTranslation

BEAM = 5
WHICH_KEY, OWN_KEY, UNIT_KEY, CELL_KEY, EDITS_KEY = "which", "own", "unit", "cell", "edits"
_GOOD = "attention-read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The translation that is looked at.

    Args:
        text, model: as in ``ToTranslate``.
        translation: scored piece by piece, with its attention.
        which: ``"beam-1"``, ``"greedy"`` or ``"own"``.
    """

    text: str
    model: str
    translation: ForcedTranslation
    which: str

    @property
    def ids(self) -> tuple[int, ...]:
        """Of its pieces, <eos> among them."""
        return self.translation.target.ids


def forget_attention() -> None:
    """Drops what belongs to the old sentence: the hypothesis, one's own translation, the cell, the edits."""
    for key in (WHICH_KEY, OWN_KEY, CELL_KEY, EDITS_KEY, "clauses"):
        forget(key)


def has_attention(sentence: ToTranslate, t: Translator) -> bool:
    """Whether the model has attention; where it has none, a sentence says so and what to do."""
    info = sentence.info
    if info.config.score != "none":
        return True
    st.info(
        t(
            "{title} has no attention: its decoder knows the source by one vector only, so there are no weights to "
            "show. Choose another model, or see the view Against no attention."
        ).format(title=info.title),
        icon=":material/info:",
    )
    return False


def chosen_translation(
    sentence: ToTranslate, settings: Settings, *, place: DeltaGenerator | None = None
) -> Chosen | None:
    """Draws the choice of the translation and scores it; None, with a sentence, where there is none.

    A text that cannot be read gets a sentence, and the last one that could be stays.
    """
    t = settings.t
    try:
        beam = ask(SearchRequest(model=sentence.model, text=sentence.text, config=attention_search(sentence.text)))
    except SeqvizError as error:
        show_error(error, t)
        good: ToTranslate | None = st.session_state.get(_GOOD)
        if good is None or good.model != sentence.model or good.text == sentence.text:
            return None
        st.caption(t("Below: the last text that could be read."))
        return chosen_translation(good, settings, place=place)
    st.session_state[_GOOD] = sentence
    rows = beam.search.finished[:BEAM]
    options = [*(f"beam-{index + 1}" for index in range(len(rows))), "greedy", "own"]
    take(WHICH_KEY, options, options[0])
    names = {f"beam-{index + 1}": f"{index + 1}. {beam.targets[row].text}" for index, row in enumerate(rows)}
    which = (place or st).selectbox(
        t("Translation"),
        options,
        key=WHICH_KEY,
        format_func=lambda name: (
            names.get(name) or {"greedy": t("Greedy search"), "own": t("My own translation")}[name]
        ),
    )
    keep(WHICH_KEY, options[0])
    ids: tuple[int, ...] = ()
    target = ""
    try:
        if which == "own":
            bring_along(OWN_KEY)
            first = sentence.example.reference if sentence.example else beam.best.text if beam.best else ""
            target = (
                st.text_input(
                    t("Your translation (teacher forcing: every step is fed your word)"),
                    first,
                    key=OWN_KEY,
                    bind="query-params",
                    autocomplete="off",
                )
                or ""
            )
        elif which == "greedy":
            found = ask(
                SearchRequest(
                    model=sentence.model, text=sentence.text, config=attention_search(sentence.text, "greedy")
                )
            )
            ids = found.search.tokens(found.search.finished[0])
        else:
            ids = beam.search.tokens(rows[options.index(which)])
        if ids and ids[-1] != beam.search.eos_id:
            ids = (*ids, beam.search.eos_id)  # cut at the greatest length
        request = ForcedRequest(
            model=sentence.model, text=sentence.text, target=target, ids=ids, heads=sentence.own is not None
        )
        return Chosen(text=sentence.text, model=sentence.model, translation=ask(request), which=which)
    except SeqvizError as error:
        show_error(error, t)
        return None


def unit_choice(t: Translator, place: DeltaGenerator) -> Unit:
    """Draws the choice between words and pieces."""
    take(UNIT_KEY, UNITS, UNITS[0])
    unit = place.segmented_control(
        t("By"),
        UNITS,
        required=True,
        key=UNIT_KEY,
        format_func=lambda name: {"words": t("words"), "pieces": t("pieces")}[name],
        help=t(
            "A word's weight: over the pieces of a source word the weights are added, over those of a target word "
            "their mean is taken, so every row still sums to 1."
        ),
    )
    keep(UNIT_KEY, UNITS[0])
    return "pieces" if unit == "pieces" else "words"


def cell_in_focus(key: str, rows: int, columns: int, default: tuple[int, int]) -> tuple[int, int]:
    """The cell that is taken apart: news of the picture, else the URL's ``cell=row.column`` (from 1), else a default.

    Args:
        key: of the picture's element.
        rows, columns: of the map.
        default: row and column, from 0.
    """
    state = st.session_state
    text = take_matching(CELL_KEY, r"\d{1,4}\.\d{1,4}", "")
    sent = _sent(getattr(state.get(key), "focus", None) or (state.get(key) or {}).get("focus"))
    if sent is not None and sent != state.get(f"{key}-sent"):
        text = f"{sent[0] + 1}.{sent[1] + 1}"
    state[f"{key}-sent"] = sent
    match = re.fullmatch(r"(\d+)\.(\d+)", text)
    row, column = (int(match[1]) - 1, int(match[2]) - 1) if match else default
    row, column = min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
    state[CELL_KEY] = "" if (row, column) == default else f"{row + 1}.{column + 1}"
    keep(CELL_KEY, "")
    return row, column


def _sent(value: Any) -> tuple[int, int] | None:
    """What the picture sent; a browser may send anything."""
    if not isinstance(value, Mapping):
        return None
    try:
        return int(value["row"]), int(value["column"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
