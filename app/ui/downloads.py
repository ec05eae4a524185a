"""Files of what is shown; each is made only when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from app.ui.settings import page_theme
from seqviz.charts.figure import Figure
from seqviz.export import trace_csv, trace_json
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace


def download_menu(figure: Figure, traces: list[RecurrentTrace], *, name: str, t: Translator) -> None:
    """PNG, SVG and self-contained HTML of the picture, JSON and CSV of every number."""
    files = figure_files(figure, t)
    for index, trace in enumerate(traces):
        suffix = f"-{index + 1}" if len(traces) > 1 else ""
        label = f" ({index + 1})" if len(traces) > 1 else ""
        files += [
            (t("Every number, JSON") + label, f"json{suffix}", "application/json", _maker(trace_json, trace)),
            (t("Every number, CSV") + label, f"csv{suffix}", "text/csv", _maker(trace_csv, trace)),
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


def _maker(write: Callable[[RecurrentTrace], str], trace: RecurrentTrace) -> Callable[[], str]:
    return lambda: write(trace)


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text, flags=re.UNICODE).strip("-").lower()[:60] or "seqviz"
