"""α of the score (1/L^α) Σ log p, the same in all views that compare translations."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from seqviz.decoding.scores import MAX_ALPHA
from seqviz.i18n import Translator

ALPHA_KEY = "score_alpha"


def alpha_slider(place: DeltaGenerator, t: Translator, *, help: str | None = None) -> float:  # noqa: A002 (Streamlit's)
    """Draws the slider; ``help`` says what the view does with α."""
    return float(
        place.slider(t("α of the score"), 0.0, MAX_ALPHA, 0.0, 0.05, key=ALPHA_KEY, bind="query-params", help=help)
    )
