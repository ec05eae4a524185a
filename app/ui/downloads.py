"""Files of what is shown; each is made only when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from app.ui.settings import page_theme
from seqviz.charts.figure import Figure
from seqviz.export import backward_csv, backward_json, trace_csv, trace_json
from seqviz.gradients import BackwardTrace
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace

Numbers = RecurrentTrace | BackwardTrace


def download_menu(figure: Figure | None, numbers: Sequence[Numbers], *, name: str, t: Translator) -> None:
    """PNG, SVG and self-contained HTML of the picture, if there is one; JSON and CSV of every number."""
    files = [] if figure is None else figure_files(figure, t)
    for index, one in enumerate(numbers):
        suffix = f"-{index + 1}" if len(numbers) > 1 else ""
        label = f" ({one.model})" if len({each.model for each in numbers}) > 1 else suffix.replace("-", " ")
        files += [
            (t("Every number, JSON") + label, f"json{suffix}", "application/json", partial(_json, one)),
            (t("Every number, CSV") + label, f"csv{suffix}", "text/csv", partial(_csv, one)),
        ]
    with st.popover(t("Download"), icon=":material/download:", width="stretch"):
        for label, kind, mime, make in files:
            extension, _, number = kind.partition("-")
            st.download_button(
                label,
                make,
                file_name=f"{_slug(name)}{'-' + number if number else ''}.{extension}",
                mime=mime,
                key=f"download-{kind}",
                on_click="ignore",
                type="tertiary",
            )


def _json(numbers: Numbers) -> str:
    return trace_json(numbers) if isinstance(numbers, RecurrentTrace) else backward_json(numbers)


def _csv(numbers: Numbers) -> str:
    return trace_csv(numbers) if isinstance(numbers, RecurrentTrace) else backward_csv(numbers)


def figure_files(figure: Figure, t: Translator) -> list[tuple[str, str, str, Callable[[], str | bytes]]]:
    """Label, ending, type and maker of the files of a picture."""
    theme = page_theme()
    return [
        (t("Picture, PNG"), "png", "image/png", lambda: figure.to_png(theme=theme, scale=2.0)),
        (t("Picture, SVG"), "svg", "image/svg+xml", lambda: figure.to_svg(theme=theme)),
        (t("Interactive page, HTML (works offline)"), "html", "text/html", lambda: figure.to_html(theme=theme)),
    ]


def file_button(label: str, make: Callable[[], str | bytes], *, name: str, mime: str) -> None:
    """A file that is made when it is asked for."""
    st.download_button(
        label, make, file_name=name, mime=mime, key=f"download-{name}", on_click="ignore", type="tertiary"
    )


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text, flags=re.UNICODE).strip("-").lower()[:60] or "seqviz"
