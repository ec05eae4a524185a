"""BLEU by hand: any candidate and references, counted as the lecture does (syllabus S2)."""

from __future__ import annotations

import streamlit as st

from app.ui.settings import Settings, look_of
from app.ui.url import bound, forget
from seqviz.charts.compared_table import bleu_latex, ngram_html
from seqviz.metrics.bleu import bleu_table
from seqviz.metrics.corpus_bleu import bleu_tokens, sentence_bleu

OPEN_KEY, CANDIDATE_KEY, REFERENCES_KEY = "by_hand", "candidate", "candidate_refs"
EXAMPLES = {
    "the": ("the the the the the the the", "The cat is on the mat.\nThere is a cat on the mat."),
    "cat": ("The cat the cat on the mat.", "The cat is on the mat.\nThere is a cat on the mat."),
    "letters": ("A B B C D", "A B C D E F"),
}


def bleu_by_hand(settings: Settings) -> None:
    """Draws the expander."""
    t = settings.t
    opened = any(key in st.query_params for key in (CANDIDATE_KEY, REFERENCES_KEY))
    with st.expander(t("BLEU by hand"), icon=":material/calculate:", expanded=opened):
        st.caption(t("Type a candidate and references: every n-gram counts at most as often as a reference has it."))
        with st.container(horizontal=True):
            for name, (candidate, _) in EXAMPLES.items():
                st.button(f"“{candidate}”", key=f"by-hand-{name}", on_click=_take, args=(name,), type="tertiary")
        left, right = st.columns(2)
        first = EXAMPLES["the"]
        candidate = left.text_area(
            t("Candidate"), first[0], key=CANDIDATE_KEY, height=80, max_chars=2000, bind="query-params"
        )
        typed = right.text_area(
            t("References, one a line"), first[1], key=REFERENCES_KEY, height=80, max_chars=4000, bind="query-params"
        )
        left, right = st.columns(2, vertical_alignment="center")
        # The lecture counts "The" and "the" as one.
        lower = left.toggle(t("Ignore case"), value=True, key="by_hand_lower", bind="query-params")
        max_n = right.number_input(t("Longest n-gram"), 1, 8, 4, key="by_hand_n", bind=bound("by_hand_n"))
        references = [line.strip() for line in (typed or "").splitlines() if line.strip()]
        tokens = bleu_tokens(candidate or "", lowercase=lower)
        known = [bleu_tokens(reference, lowercase=lower) for reference in references]
        if not tokens or not known:
            st.info(t("A candidate and at least one reference are needed."), icon=":material/info:")
            return
        table = bleu_table(tokens, known[0], others=known[1:], max_n=int(max_n))
        st.html(ngram_html(table, **look_of(settings)))
        st.latex(bleu_latex(table))
        found = sentence_bleu(candidate or "", references)
        st.caption(
            t("sacrebleu, with case and smoothing: {score:.2f} ({signature})").format(
                score=found.score, signature=found.signature
            )
        )


def _take(name: str) -> None:
    for key, value in zip((CANDIDATE_KEY, REFERENCES_KEY), EXAMPLES[name], strict=True):
        forget(key)
        st.session_state[key] = value
