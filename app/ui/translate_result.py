"""What a search for a translation found, in words: the winner as a sentence, the others beside it, the score."""

from __future__ import annotations

import re
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.search_parts import search_names
from app.ui.settings import Settings, page_theme
from seqviz.charts.notation import Notation
from seqviz.charts.palette import literals
from seqviz.charts.search_story import Winner, optimum_of, search_story, winner_of
from seqviz.i18n import Translator
from seqviz.translation_searches import TranslationSearches
from seqviz.translations import PieceText

_COLOURS = {"greedy": "k1", "beam": "k0", "optimum": "k4"}  # those of the paths in the tree


def result(searches: TranslationSearches, alpha: float, settings: Settings) -> DeltaGenerator:
    """Draws the winner, large, with its numbers; greedy, beam and optimum where they differ; what happened.

    Returns:
        The place beside the winner, for what is still to come.
    """
    t = settings.t
    left, right = st.columns([3, 2], vertical_alignment="top")
    shown = searches.shown.search.config
    best = winner_of(searches.shown, alpha)
    if best is None:
        left.markdown("#### " + t("No translation was completed: the limits leave none."))
        return right
    names = search_names(t)
    title = f"{names[shown.search]} {shown.beam_size}" if shown.search in ("beam", "diverse") else names[shown.search]
    lines = [
        f'<div style="font-size:1.7rem;font-weight:650;line-height:1.25" class="sv-winner">{escape(best.text)}</div>',
        f'<div style="opacity:.75">{escape(title)} · {_numbers(best, alpha, t)}</div>',
    ]
    others = (
        ("greedy", names["greedy"], winner_of(searches.greedy, alpha)),
        ("beam", f"{names['beam']} {shown.beam_size}", winner_of(searches.beam, alpha)),
        ("optimum", t("Optimum"), optimum_of(searches.exact, alpha) if searches.optimum is not None else None),
    )
    colours = literals(page_theme())
    lines += [
        f'<div><span style="color:{colours[_COLOURS[key]]}">●</span> {escape(label)}: <b>{escape(other.text)}</b> '
        f'<span style="opacity:.75">{_numbers(other, alpha, t)}</span></div>'
        for key, label, other in others
        if other is not None and other.tokens != best.tokens
    ]
    left.html(f'<div lang="und" dir="auto" style="overflow-wrap:anywhere">{"".join(lines)}</div>')
    right.html(
        '<div style="opacity:.9;line-height:1.4;overflow-wrap:anywhere">'
        + escape(" ".join(search_story(searches, alpha, t)))
        + "</div>"
    )
    return right


def _numbers(winner: Winner, alpha: float, t: Translator) -> str:
    return t("log P {log_prob} · L = {count} · score {score} at α = {alpha}").format(
        log_prob=f"{winner.log_prob:.3f}".replace("-", "−"),
        count=len(winner.tokens),
        score=f"{winner.score:.4f}".replace("-", "−"),
        alpha=f"{alpha:g}",
    )


def source_note(source: PieceText, t: Translator) -> None:
    """A sentence where the model cannot make much of what was typed."""
    written = [piece for piece in source.pieces if piece != "▁"]
    spelled = sum(re.fullmatch(r"<0x[0-9A-F]{2}>", piece) is not None for piece in written)
    note = ""
    if not any(character.isalnum() for character in source.text):
        note = t("There is no word in this sentence; what the model makes of it means little.")
    elif 2 * spelled > len(written):
        note = t(
            "The model has no pieces for most of these characters and reads them byte by byte: it was trained on "
            "another language."
        )
    elif re.search(r"</?\w+[^>]*>", source.text):
        note = t("Markup is read as it stands, letter for letter.")
    if note:
        st.info(note, icon=":material/info:")


def score_equation(winner: Winner | None, alpha: float, coverage: float, notation: Notation, t: Translator) -> None:
    """What hypotheses are ranked by, in the reader's notation and with the winner's numbers."""
    if notation == "ng":
        terms = r"\sum_{t=1}^{L} \log P\left(y^{\langle t \rangle} \mid x, y^{\langle 1 \rangle}, \ldots, "
        terms += r"y^{\langle t-1 \rangle}\right)"
    else:
        terms = r"\sum_{t=1}^{L} \log P\left(y_t \mid y_1, \ldots, y_{t-1}, \mathbf{c}\right)"
    penalty = r" + \beta \sum_i \ln \min\left(\sum_t \alpha_{ti}, 1\right)" if coverage else ""
    numbers = ""
    if winner is not None and not coverage:
        count = len(winner.tokens)
        numbers = rf" = \frac{{{winner.log_prob:.4f}}}{{{count}^{{{alpha:g}}}}} = {winner.score:.4f}"
    st.latex(rf"\text{{score}} = \frac{{1}}{{L^\alpha}} {terms}{penalty}{numbers}")
    st.caption(
        t(
            "L counts <eos>. α = 0: the sum, which prefers short translations; α = 1: the mean of a piece, with which "
            "the models' cards are measured."
        )
    )
