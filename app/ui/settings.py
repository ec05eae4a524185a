"""What holds for every page: language, notation and size, bound to the URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui.url import keep, take
from seqviz.charts.notation import NOTATIONS, Notation, as_notation
from seqviz.charts.palette import Theme
from seqviz.i18n import LANGUAGES, Translator, best_language, translator

_NOTATION_NAMES: dict[Notation, str] = {"ng": "Ng: a⟨t⟩, Γ", "d2l": "d2l: Hₜ, Z"}
SIZES = ("normal", "presenter")

# On a telephone the picture must not begin below the screen: title and settings share a line, the intro goes.
_NARROW = (
    "@media(max-width:640px){"
    ".st-key-header [data-testid=stHorizontalBlock]{flex-wrap:nowrap}"
    ".st-key-header [data-testid=stColumn]{min-width:0;flex:1 1 50%}"
    ".st-key-header [data-testid=stColumn]:nth-child(2){display:none}"
    ".katex-display,p:has(>.katex),p:has(>span>.katex){overflow:auto hidden}"
    "}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The global settings of one visitor."""

    language: str
    notation: Notation
    presenter: bool

    @property
    def t(self) -> Translator:
        """The translator of the language."""
        return translator(self.language)

    @property
    def font_size(self) -> int:
        """Base size of text in pictures, in pixels."""
        return 18 if self.presenter else 14


class Look(TypedDict):
    """What all charts of a page share."""

    theme: Theme
    font_size: int
    t: Translator


def look_of(settings: Settings) -> Look:
    """The look of the visitor's charts."""
    return Look(theme=page_theme(), font_size=settings.font_size, t=settings.t)


def page_theme() -> Theme:
    """The theme that the visitor sees, for charts whose colours are literal."""
    return "dark" if st.context.theme.type == "dark" else "light"


def read_settings() -> Settings:
    """The settings from the URL and the session, before their widgets are drawn."""
    take("lang", list(LANGUAGES), best_language(st.context.locale))
    take("notation", NOTATIONS, NOTATIONS[0])
    take("size", SIZES, SIZES[0])
    state = st.session_state
    return Settings(
        language=state["lang"], notation=as_notation(state["notation"]), presenter=state["size"] == "presenter"
    )


def numbers_columns(settings: Settings) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Equations at the left, the sum behind a number at the right; large equations need half of the page."""
    left, right = st.columns([1, 1] if settings.presenter else [11, 13], gap="large")
    return left, right


def header(title: str, intro: str, settings: Settings) -> None:
    """The page's title, what it is in two sentences, and the display settings at the right."""
    t = settings.t
    if settings.presenter:
        # Streamlit has no run-time option for its base size; its smallest text is 0.875rem, here 16.2 px.
        # Larger letters need the room at the sides.
        st.html("<style>html{font-size:18.5px}[data-testid=stMainBlockContainer]{padding-inline:2.5rem}</style>")
    if page_theme() == "dark":
        # Streamlit writes white on its primary buttons; on the light primary colour of the dark theme nobody reads it.
        st.html("<style>[data-testid^=stBaseButton-primary]{color:#131219}</style>")
    st.html(f"<style>{_NARROW}</style>")
    left, middle, right = st.container(key="header").columns([2, 9, 2], vertical_alignment="center")
    left.title(title, anchor=False)
    if not settings.presenter:  # whoever projects explains it, and the picture gets the room
        middle.caption(intro)
    with right.popover(t("Display"), icon=":material/tune:", width="stretch"):
        st.radio(t("Language"), list(LANGUAGES), key="lang", format_func=LANGUAGES.__getitem__, horizontal=True)
        keep("lang", best_language(st.context.locale))
        st.radio(t("Notation"), NOTATIONS, key="notation", format_func=_NOTATION_NAMES.__getitem__)
        keep("notation", NOTATIONS[0])
        st.radio(
            t("Size"),
            SIZES,
            key="size",
            format_func=lambda size: {"normal": t("Normal"), "presenter": t("Presenter")}[size],
            horizontal=True,
        )
        keep("size", SIZES[0])
        st.caption(t("Light and dark: menu at the top right, Settings."))
