"""The explanation view: attention beside gradient times input and leaving words out, and beside links drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from app.ui.attention_inputs import Chosen, cell_in_focus, chosen_translation, has_attention
from app.ui.backend import ask, show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover, figure_files
from app.ui.figure import show_figure
from app.ui.own_models import needs_recurrent
from app.ui.plain import as_text
from app.ui.settings import Settings, look_of
from app.ui.translation_inputs import ToTranslate
from seqviz.alignments import aligned_name, aligned_pairs
from seqviz.analysis.attention import alignment_scores, reading_correlations, strongest_links
from seqviz.attention import AlignedPair, AlignmentScores, Readings
from seqviz.attention_export import readings_csv, readings_json
from seqviz.backends.attention_requests import ReadingsRequest
from seqviz.charts.attention_panels import reading_names, readings_figure
from seqviz.charts.attention_scores import error_rate_chart
from seqviz.charts.figure import Figure
from seqviz.checkpoints import fingerprint
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator, translator

KEY = "attention-readings"


def explain_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    if needs_recurrent(sentence.own, t):
        return
    if not has_attention(sentence, t):
        return
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    with left:
        chosen = chosen_translation(sentence, settings)
    if chosen is None:
        return
    try:
        read = ask(ReadingsRequest(model=chosen.model, text=chosen.text, ids=chosen.ids))
    except SeqvizError as error:
        show_error(error, t)
        return
    with right:
        _downloads(chosen, read, settings)
    st.caption(
        t(
            "Which source words made the model say a target word? Three answers to one question: the weights; the "
            "gradient of log P times the input vector; what log P loses when the word is left out. The last two have a "
            "sign: blue speaks for the target word, orange against it, each row up to its own greatest value."
        )
    )
    _maps(read, settings)
    _against_hand(sentence, settings)


@st.fragment
def _maps(read: Readings, settings: Settings) -> None:
    """The three maps and the row in focus; a click reruns only this."""
    first = min(2, len(read.target.labels) - 1)
    default = (first, strongest_links(read.attention)[first])
    row, column = cell_in_focus(KEY, len(read.target.labels), len(read.source.labels), default)
    show_figure(_figure(read, settings), key=KEY, focus={"row": row, "column": column, "panel": 0})
    left, right = st.columns([6, 5], gap="medium")
    with left:
        _row_table(read, row, settings)
    with right:
        _agreement(read, row, settings)


def _row_table(read: Readings, row: int, settings: Settings) -> None:
    t = settings.t
    names = reading_names(t)
    st.markdown(
        t("What speaks for **{word}** (log P = {value})").format(
            word=as_text(read.target.labels[row]), value=f"{float(read.log_probs[row]):.3f}".replace("-", "−")
        )
    )
    frame = pd.DataFrame(
        {t("source word"): read.source.labels}
        | {names[name]: matrix[row].astype(float) for name, matrix in read.named().items()}
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(frame), 330),
        column_config={
            names["attention"]: st.column_config.ProgressColumn(
                names["attention"], min_value=0, max_value=1, format="%.3f"
            ),
            names["gradient"]: number(names["gradient"], format="%.4f", help=t("in nats, to first order")),
            names["occlusion"]: number(names["occlusion"], format="%.4f", help=t("in nats")),
        },
    )


def _agreement(read: Readings, row: int, settings: Settings) -> None:
    t = settings.t
    names = reading_names(t)
    links = {name: strongest_links(matrix) for name, matrix in read.named().items()}
    chosen = {name: read.source.labels[places[row]] for name, places in links.items()}
    st.markdown(
        "  \n".join(
            t("{reading}: most responsible is **{word}**").format(reading=names[name], word=as_text(word))
            for name, word in chosen.items()
        )
    )
    table = [
        {
            t("two readings"): f"{names[a]} – {names[b]}",
            t("ρ, this word"): _number(values[row]),
            t("ρ, sentence"): _number(_mean(values)),
            t("same first word"): f"{sum(x == y for x, y in zip(links[a], links[b], strict=True))} / {len(values)}",
        }
        for (a, b), values in reading_correlations(read).items()
    ]
    st.dataframe(pd.DataFrame(table), hide_index=True, width="stretch")
    st.caption(
        t(
            "ρ is Spearman's rank correlation over the source words, of sizes without signs; of the sentence, the mean "
            "over its words. Where the readings "
            "disagree none of them is the truth: weights say what is mixed into the context, not what the answer hangs "
            "on; a gradient says what an infinitely small change does, which where P is near 1 is almost nothing; a "
            "source without a word is a sentence that the model has perhaps never seen the like of."
        )
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


@st.fragment
def _against_hand(sentence: ToTranslate, settings: Settings) -> None:
    """Word alignment error against the pairs aligned by hand, where there are some for the two languages."""
    t = settings.t
    info = sentence.models[sentence.model]
    name = aligned_name(info.family)
    pairs = aligned_pairs(name)
    st.subheader(t("Is attention alignment?"), anchor=False)
    if not pairs:
        st.caption(
            t("For the languages of this model no pairs have been aligned by hand yet; French to English has some.")
        )
        return
    measured = _measured(info.name, fingerprint(info.name))
    if not measured:
        try:
            measured.append(alignment_scores(pairs, _read_all(info.name, pairs, t)))
        except SeqvizError as error:
            show_error(error, t)
            return
    scores = measured[0]
    left, right = st.columns([6, 5], gap="medium", vertical_alignment="center")
    with left:
        show_chart(error_rate_chart(scores, names=reading_names(t), **look_of(settings)))
        download_popover(
            chart_files(
                lambda: error_rate_chart(scores, names=reading_names(t), **look_of(settings)), name="", ending="", t=t
            ),
            name=f"alignment-error-{info.name}",
            t=t,
            key="alignment",
        )
    with right:
        st.caption(
            t(
                "Alignment error rate, AER = 1 − (|A∩S| + |A∩P|) / (|A| + |S|), on {pairs} sentence pairs with "
                "{words} target words. A person drew the sure links S and the possible ones P; each reading draws one "
                "link from every target word to the source word that it holds most responsible. 0 is perfect."
            ).format(pairs=scores.pairs, words=scores.words)
        )
        st.caption(
            t(
                "A small set of short sentences of our own: it tells good from bad, not 4 % from 5 %. A reading may "
                "align badly and still explain well, for a word also hangs on words that do not translate it."
            )
        )
        rho = {key: f"{value:.2f}" for key, value in scores.correlations.items()}
        st.caption(
            t("Mean rank correlations over all of these words: {values}.").format(
                values=", ".join(
                    f"{reading_names(t)[a]} – {reading_names(t)[b]} {value}" for (a, b), value in rho.items()
                )
            )
        )


@st.cache_resource(show_spinner=False, max_entries=16)
def _measured(model: str, version: str) -> list[AlignmentScores]:
    """Keeps the scores of a model once they are there: they hang on nothing that a reader types."""
    del model, version
    return []


def _read_all(model: str, pairs: Sequence[AlignedPair], t: Translator) -> list[Readings]:
    """All readings of all pairs, with progress; one question a pair, so that the models stay free for others."""
    progress = st.progress(0.0, t("Measuring on {count} pairs aligned by hand …").format(count=len(pairs)))
    read = []
    for index, pair in enumerate(pairs):
        read.append(ask(ReadingsRequest(model=model, text=pair.text, target=pair.translation)))
        progress.progress((index + 1) / len(pairs))
    progress.empty()
    return read


def _figure(read: Readings, settings: Settings) -> Figure:
    return _drawn(read.model, read.source.ids, read.target.ids, settings.font_size, settings.language, read)


@st.cache_resource(show_spinner=False, max_entries=32)
def _drawn(
    model: str,
    source: tuple[int, ...],
    target: tuple[int, ...],
    font_size: int,
    language: str,
    _read: Readings,
) -> Figure:
    del model, source, target  # they are the key: the readings follow from them
    return readings_figure(_read, font_size=font_size, t=translator(language), language=language.replace("_", "-"))


def _downloads(chosen: Chosen, read: Readings, settings: Settings) -> None:
    t = settings.t
    files = figure_files(lambda: _figure(read, settings), name="", ending="", t=t)
    files += [
        Download(
            label=t("Every number, JSON"), ending="json", mime="application/json", make=partial(readings_json, read)
        ),
        Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=partial(readings_csv, read)),
    ]
    download_popover(files, name=f"explanation-{chosen.text}", t=t)
