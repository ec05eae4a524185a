"""The installed models on the home page: what each was measured at, and the way to its card."""

from __future__ import annotations

from collections import defaultdict

import streamlit as st

from app.ui.pages import app_pages
from seqviz.checkpoints import CheckpointInfo, TranslatorInfo, list_all
from seqviz.i18n import Translator

Info = CheckpointInfo | TranslatorInfo

_WRAPPED = "[class*=st-key-models-] [data-testid=stPageLink-NavLink] *{white-space:normal}"
"""Streamlit cuts the label of a link to one line; a long title takes two."""


def model_list(t: Translator) -> None:
    """All models by what they do, each with its figure."""
    groups: dict[str, list[Info]] = defaultdict(list)
    for info in list_all()[0]:
        groups["translation" if isinstance(info, TranslatorInfo) else info.config.task].append(info)
    titles = {
        "classification": t("Like or dislike"),
        "tagging": t("Names in a sentence"),
        "language_model": t("What comes next"),
        "translation": t("From one language to another"),
    }
    page = app_pages(t)["models"]
    st.html(f"<style>{_WRAPPED}</style>")
    shown = [task for task in titles if groups[task]]
    for start in range(0, len(shown), 2):
        for place, task in zip(st.columns(2), shown[start : start + 2], strict=False):
            with place.container(gap="xsmall", key=f"models-{task}"):
                st.markdown(f"**{titles[task]}**")
                for info in sorted(groups[task], key=lambda info: info.base is not None):
                    st.page_link(page.file, label=_line(info, t), query_params={"card": info.name}, width="stretch")


def _line(info: Info, t: Translator) -> str:
    """A model with its figure, as one line."""
    name = str(info.details.get("figure", ""))
    value = info.figures.get(name)
    if value is None:
        return info.title
    figures = {
        "nats_per_token": t("{value} nats a token").format(value=f"{value:.2f}"),
        "accuracy": t("{value} % right").format(value=f"{value:.1f}"),
        "f1": t("F1 {value} %").format(value=f"{value:.1f}"),
        "bleu": t("BLEU {value}").format(value=f"{value:.1f}"),
    }
    return f"**{figures.get(name, f'{value:.2f}')}** · {info.title}"
