"""Score functions: twins that differ in their match function alone, over one translation (syllabus A2)."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.ui.attention_beside import Beside, beside_downloads, chosen_beside, shown_beside
from app.ui.figure import show_figure
from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate
from seqviz.analysis.attention import attention_grid
from seqviz.charts.attention_math import SCORE_TITLES, attention_equations
from seqviz.charts.attention_panels import SCORES_ROW, score_names
from seqviz.checkpoints import TranslatorInfo
from seqviz.config import SCORE_NAMES, TranslationConfig
from seqviz.i18n import Translator
from seqviz.twins import score_parameters, score_twins

KEY = "attention-scores"


def scores_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    models = score_twins(sentence.models, sentence.model)
    if not models:
        st.info(
            t(
                "{title} has no twin with another score function. For French to English, train one with: "
                "seqviz train fra-eng-scaled-dot"
            ).format(title=sentence.models[sentence.model].title),
            icon=":material/info:",
        )
    else:
        _twins(sentence, models, settings)
    _functions(sentence, models, settings)


def _twins(sentence: ToTranslate, models: list[TranslatorInfo], settings: Settings) -> None:
    t = settings.t
    found = chosen_beside(sentence, models, settings)
    if found is None:
        return
    unit, place, both = found
    names = score_names(t)
    titles = {one.info.name: names[one.info.config.score] for one in both}
    figure = shown_beside(both, titles, unit, settings, per_row=SCORES_ROW)
    with place:
        beside_downloads(both, figure, settings, name="score-functions")
    st.caption(
        t(
            "The same translation word by word through models that differ in the score e of a decoder state s and an "
            "encoder state h alone. The twins began with the weights of {base}, their score functions with random "
            "ones, and only these were trained; everything else is shared."
        ).format(base=both[0].info.name)
    )
    show_figure(figure, key=KEY)
    _table(both, settings)
    st.caption(
        t(
            "The twins' figures say how well a score fits a network that grew up with the additive one, not which "
            "score is best when everything is trained from the start."
        )
    )


def _table(both: list[Beside], settings: Settings) -> None:
    t = settings.t
    names = score_names(t)
    rows = [
        {
            t("score"): names[one.info.config.score],
            t("its parameters"): score_parameters(one.info.config),
            "BLEU": one.info.figures.get("bleu"),
            t("its own translation"): one.best,
            t("BLEU, greedy"): one.info.figures.get("bleu_greedy"),
            t("entropy, bits"): float(attention_grid(one.translation, "words").entropy.mean()),
            t("log P of this translation"): float(one.translation.log_prob),
        }
        for one in both
    ]
    number = st.column_config.NumberColumn
    held_out = t("beam 5, on the held-out split; from the checkpoint")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config={
            t("its parameters"): number(t("its parameters"), format="localized"),
            "BLEU": number("BLEU", format="%.2f", help=held_out),
            t("BLEU, greedy"): number(t("BLEU, greedy"), format="%.2f"),
            t("entropy, bits"): number(t("entropy, bits"), format="%.2f", help=t("the mean of the rows, by words")),
            t("log P of this translation"): number(t("log P of this translation"), format="%.2f"),
        },
    )


def _functions(sentence: ToTranslate, twins: list[TranslatorInfo], settings: Settings) -> None:
    """All five functions with their equations, and which of them are trained here."""
    t = settings.t
    st.subheader(t("The five score functions"), anchor=False)
    own = twins[0] if twins else sentence.models[sentence.model]
    # A twin says most of a function; without one any model that has it.
    trained = {info.config.score: info for info in (*sentence.models.values(), own, *twins)}
    for name in SCORE_NAMES:
        if name not in SCORE_TITLES:
            continue
        left, middle, right = st.columns([4, 4, 5], vertical_alignment="center")
        left.markdown(t(SCORE_TITLES[name]))
        middle.markdown(rf"$\displaystyle {attention_equations(name, notation=settings.notation)[0]}$")
        right.caption(_state(name, trained, own.config, t))


def _state(name: str, trained: dict[str, TranslatorInfo], config: TranslationConfig, t: Translator) -> str:
    """Whether a function is trained here, and where not, why."""
    if name in trained:
        info = trained[name]
        return t("trained: {name}, BLEU {value}").format(name=info.name, value=f"{info.figures.get('bleu', 0):.2f}")
    if name == "dot" and config.decoder_size != 2 * config.encoder_size:
        return t(
            "not trained: it compares the states as they are, so both must have as many components; here the "
            "decoder's have {query} and the encoder's {value}."
        ).format(query=config.decoder_size, value=2 * config.encoder_size)
    return t("not trained here")
