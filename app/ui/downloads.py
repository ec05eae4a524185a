"""Files of what is shown; each is made only when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app.ui.settings import page_theme
from seqviz.charts.figure import Figure
from seqviz.export import trace_csv, trace_json
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file of a menu.

    Args:
        label: for people.
        ending: what follows the name, ``"png"`` or ``"cell-1.png"``; it also tells the files of a page apart.
        mime: its kind.
        make: writes it, when it is asked for.
    """

    label: str
    ending: str
    mime: str
    make: Callable[[], str | bytes]


def download_menu(figure: Figure, traces: list[RecurrentTrace], *, name: str, t: Translator) -> None:
    """PNG, SVG and self-contained HTML of the picture, JSON and CSV of every number."""
    files = figure_files(lambda: figure, name="", ending="", t=t)
    for index, trace in enumerate(traces):
        several = len(traces) > 1
        mark, ending = (f" ({index + 1})", f"-{index + 1}") if several else ("", "")
        files += trace_files(trace, mark=mark, ending=ending, t=t)
    download_popover(files, name=name, t=t)


def figure_files(make: Callable[[], Figure], *, name: str, ending: str, t: Translator) -> list[Download]:
    """A picture as PNG, SVG and self-contained HTML.

    Args:
        make: draws it.
        name: of the picture where a page has several.
        ending: of its files, likewise.
        t: the reader's language.
    """
    theme = page_theme()
    label, end = f"{name}: " if name else "", f"{ending}." if ending else ""
    return [
        Download(label=label + t("Picture, PNG"), ending=end + "png", mime="image/png",
                 make=lambda: make().to_png(theme=theme, scale=2.0)),
        Download(label=label + t("Picture, SVG"), ending=end + "svg", mime="image/svg+xml",
                 make=lambda: make().to_svg(theme=theme)),
        Download(label=label + t("Interactive page, HTML (works offline)"), ending=end + "html", mime="text/html",
                 make=lambda: make().to_html(theme=theme)),
    ]  # fmt: skip


def trace_files(trace: RecurrentTrace, *, mark: str, ending: str, t: Translator) -> list[Download]:
    """Every number of a run as JSON and CSV."""
    return [
        Download(label=t("Every number, JSON") + mark, ending=f"numbers{ending}.json" if ending else "json",
                 mime="application/json", make=_maker(trace_json, trace)),
        Download(label=t("Every number, CSV") + mark, ending=f"numbers{ending}.csv" if ending else "csv",
                 mime="text/csv", make=_maker(trace_csv, trace)),
    ]  # fmt: skip


def download_popover(files: Sequence[Download], *, name: str, t: Translator) -> None:
    """The menu of a page's files."""
    with st.popover(t("Download"), icon=":material/download:", width="stretch"):
        for file in files:
            joint = "." if "." not in file.ending else "-"
            st.download_button(
                file.label,
                file.make,
                file_name=f"{_slug(name)}{joint}{file.ending}",
                mime=file.mime,
                key=f"download-{file.ending}",
                on_click="ignore",
                type="tertiary",
            )


def _maker(write: Callable[[RecurrentTrace], str], trace: RecurrentTrace) -> Callable[[], str]:
    return lambda: write(trace)


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text, flags=re.UNICODE).strip("-").lower()[:60] or "seqviz"
