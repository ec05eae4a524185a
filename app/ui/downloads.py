"""Files of what is shown; each is made only when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.ui.settings import page_theme
from seqviz.charts.figure import Figure
from seqviz.export import backward_csv, backward_json, trace_csv, trace_json
from seqviz.gradients import BackwardTrace
from seqviz.i18n import Translator
from seqviz.traces import RecurrentTrace

Numbers = RecurrentTrace | BackwardTrace


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


def download_menu(
    figure: Figure | None, numbers: Sequence[Numbers], *, name: str, t: Translator, charts: Sequence[Download] = ()
) -> None:
    """PNG, SVG and self-contained HTML of the picture, if there is one, or of charts; JSON and CSV of every number."""
    files = [*charts] if figure is None else figure_files(lambda: figure, name="", ending="", t=t)
    several_models = len({one.model for one in numbers}) > 1
    for index, one in enumerate(numbers):
        several = len(numbers) > 1
        mark = f" ({one.model})" if several_models else f" ({index + 1})" if several else ""
        files += number_files(one, mark=mark, ending=f"-{index + 1}" if several else "", t=t)
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
    return picture_files(
        lambda: make().to_png(theme=theme, scale=2.0),
        lambda: make().to_svg(theme=theme),
        lambda: make().to_html(theme=theme),
        name=name,
        ending=ending,
        t=t,
    )


def picture_files(
    png: Callable[[], bytes],
    svg: Callable[[], str],
    html: Callable[[], str],
    *,
    name: str,
    ending: str,
    t: Translator,
) -> list[Download]:
    """The three files of any picture; ``name`` and ``ending`` as in ``figure_files``."""
    label, end = f"{name}: " if name else "", f"{ending}." if ending else ""
    page = t("Interactive page, HTML (works offline)")
    return [
        Download(label=label + t("Picture, PNG"), ending=end + "png", mime="image/png", make=png),
        Download(label=label + t("Picture, SVG"), ending=end + "svg", mime="image/svg+xml", make=svg),
        Download(label=label + page, ending=end + "html", mime="text/html", make=html),
    ]


def number_files(numbers: Numbers, *, mark: str, ending: str, t: Translator) -> list[Download]:
    """Every number of a run or of a backward pass as JSON and CSV."""
    if isinstance(numbers, RecurrentTrace):
        as_json, as_csv = partial(trace_json, numbers), partial(trace_csv, numbers)
    else:
        as_json, as_csv = partial(backward_json, numbers), partial(backward_csv, numbers)
    start = f"numbers{ending}." if ending else ""
    return [
        Download(label=t("Every number, JSON") + mark, ending=f"{start}json", mime="application/json", make=as_json),
        Download(label=t("Every number, CSV") + mark, ending=f"{start}csv", mime="text/csv", make=as_csv),
    ]


def download_popover(
    files: Sequence[Download], *, name: str, t: Translator, label: str = "", key: str = "download"
) -> None:
    """The menu of a page's files.

    Args:
        files: what it offers.
        name: what the files' names begin with.
        t: the reader's language.
        label: of the menu; empty for the usual one.
        key: of its buttons, where a page has several menus.
    """
    with st.popover(label or t("Download"), icon=":material/download:", width="stretch"):
        for file in files:
            joint = "." if "." not in file.ending else "-"
            st.download_button(
                file.label,
                file.make,
                file_name=f"{_slug(name)}{joint}{file.ending}",
                mime=file.mime,
                key=f"{key}-{file.ending}",
                on_click="ignore",
                type="tertiary",
            )


def sum_files(snippet: Callable[[], str], addends: Callable[[], str], *, name: str, key: str, t: Translator) -> None:
    """A sum as plain PyTorch and its addends as CSV.

    Args:
        snippet, addends: write the PyTorch with all numbers, and the CSV, when they are asked for.
        name: of both files.
        key: tells the buttons of a page apart.
        t: the reader's language.
    """
    files = (
        (t("Plain PyTorch with all numbers"), snippet, f"{name}.py", None, f"plain-{key}"),
        (t("Addends, CSV"), addends, f"{name}.csv", "text/csv", f"addends-{key}"),
    )
    for label, content, file, mime, button in files:
        st.download_button(label, content, file_name=file, mime=mime, key=button, on_click="ignore", type="tertiary")


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text, flags=re.UNICODE).strip("-").lower()[:60] or "seqviz"
