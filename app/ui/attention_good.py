"""Good and bad attention: one translation through a model with the regulariser and through models without it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.ui.attention_beside import (
    Beside,
    beside_downloads,
    chosen_beside,
    plain_number,
    shortened,
    shown_beside,
)
from app.ui.figure import show_figure
from app.ui.settings import Settings
from app.ui.translation_inputs import ToTranslate
from seqviz.analysis.attention import Unit, attention_grid, neglected, overused, regulariser
from seqviz.charts.attention_panels import REGULARISED_ROW, regulariser_title
from seqviz.checkpoints import TranslatorInfo
from seqviz.i18n import Translator
from seqviz.twins import penalty, regularised, target

KEY = "attention-good"


def good_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    models = regularised(sentence.models, sentence.model)
    if not models:
        st.info(
            t(
                "{title} has no twin that was trained with the regulariser. For French to English, train one with: "
                "seqviz train fra-eng-regularised"
            ).format(title=sentence.models[sentence.model].title),
            icon=":material/info:",
        )
        return
    found = chosen_beside(sentence, models, settings)
    if found is None:
        return
    unit, place, both = found
    with_it = models[-1]
    titles = {one.info.name: regulariser_title(one.info, t) for one in both}
    tau = target(with_it)
    # Two maps: the regularised model and what differs from it in the regulariser alone.
    shown = both[-2:]
    figure = shown_beside(shown, titles, unit, settings, tau=tau, per_row=REGULARISED_ROW)
    with place:
        beside_downloads(both, figure, settings, name="good-attention", tau=tau)
    st.caption(
        t(
            "The same translation word by word through two models. The first was trained for its words only, the "
            "second also for even attention: its loss had λ/S Σᵢ (τ − Σₜ αₜⁱ)² added, with λ = {factor}, τ = {tau} "
            "and S source pieces (Xu et al. 2015). Below each map: what every word received; orange is hardly "
            "attended, plum too often."
        ).format(factor=plain_number(penalty(with_it)), tau=plain_number(tau))
    )
    show_figure(figure, key=KEY)
    _table(both, tau, unit, settings)
    st.caption(_what_differs(both, t))
    st.caption(
        t(
            "Try next: a longer sentence, where more words go unread; drag τ; choose a worse translation above and see "
            "whether its attention is worse, too."
        )
    )


def _table(both: list[Beside], tau: float, unit: Unit, settings: Settings) -> None:
    """What the regulariser costs and what it brings, in numbers: on the held-out sentences and on this one."""
    t = settings.t
    rows = []
    for one in both:
        grid = attention_grid(one.translation, unit)
        names = [
            shortened([grid.columns[index] for index in found])
            for found in (neglected(grid.coverage, tau), overused(grid.coverage, tau))
        ]
        rows.append(
            {
                t("model"): regulariser_title(one.info, t),
                "λ": penalty(one.info),
                "BLEU": one.info.figures.get("bleu"),
                t("its own translation"): one.best,
                "Σᵢ (τ − Σₜ αₜⁱ)²": regulariser(grid.coverage, tau),
                t("hardly attended"): names[0] or t("none"),
                t("too often"): names[1] or t("none"),
                t("entropy, bits"): float(grid.entropy.mean()),
                t("log P of this translation"): float(one.translation.log_prob),
            }
        )
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config={
            "λ": number("λ", format="%.3g", help=t("the regulariser's factor in training")),
            "BLEU": number("BLEU", format="%.2f", help=t("beam 5, on the held-out split; from the checkpoint")),
            "Σᵢ (τ − Σₜ αₜⁱ)²": number(
                "Σᵢ (τ − Σₜ αₜⁱ)²", format="%.3f", help=t("for this sentence; 0 is even attention")
            ),
            t("entropy, bits"): number(t("entropy, bits"), format="%.2f", help=t("the mean of the rows")),
            t("log P of this translation"): number(t("log P of this translation"), format="%.2f"),
        },
    )


def _what_differs(both: list[Beside], t: Translator) -> str:
    """Whether the comparison is a fair one."""
    if len(both) > 2:
        return t(
            "Both fine-tuned models began with the weights of {base} and trained the same parameters ({trained}) on "
            "the same batches; only λ differs. All other weights are those of {base}, so what differs between the maps "
            "is the regulariser's doing."
        ).format(base=both[0].info.name, trained=_trained(both[-1].info))
    return t(
        "The regularised model began with the weights of {base} and trained {trained} on; the first model is "
        "{base} itself, without further training, so a part of the difference may be the training's."
    ).format(base=both[0].info.name, trained=_trained(both[-1].info))


def _trained(info: TranslatorInfo) -> str:
    return ", ".join(f"{prefix}*" for prefix in info.details["start"]["train"]).replace("_", r"\_").replace("*", r"\*")
