"""Two models over the same long text, on the Units page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download
from app.ui.settings import Settings, look_of
from app.ui.unit_inputs import SOURCE_KEY, Reading
from app.ui.unit_rankings import short_place, signed
from app.ui.unit_reading import ask_about
from app.ui.url import choose
from seqviz.backends.long_requests import LongTextRequest, TrackingRequest
from seqviz.backends.requests import TraceRequest
from seqviz.charts.notation import quantity_name
from seqviz.charts.properties import property_name
from seqviz.charts.rankings import rankings_chart
from seqviz.checkpoints import CheckpointInfo
from seqviz.i18n import Translator
from seqviz.interventions import counterpart
from seqviz.unit_export import rankings_csv
from seqviz.units import LongText, Tracked, Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A model that has read the text.

    Args:
        run: model and text.
        text: as the model read it.
        title: of the model where there are two, else empty.
    """

    run: TraceRequest
    text: LongText
    title: str = ""


def compared_texts(reading: Reading, models: Mapping[str, CheckpointInfo], t: Translator) -> list[Compared]:
    """The text as the first model read or wrote it, and as the second one reads it, if there is one."""
    text = ask_about(LongTextRequest(trace=reading.run), t)
    if not reading.second:
        return [Compared(run=reading.run, text=text)]
    second = TraceRequest(model=reading.second, text=text.text)
    read = ask_about(LongTextRequest(trace=second), t)
    return [
        Compared(run=reading.run, text=text, title=f"A · {models[reading.run.model].title}"),
        Compared(run=second, text=read, title=f"B · {models[reading.second].title}"),
    ]


def make_first(one: Compared, first: Compared) -> None:
    """The second model takes the first one's place, over the same text; for callbacks."""
    choose("model", one.run.model)
    choose("model2", first.run.model)
    if first.run.structure == "one_to_many":
        # What the first model wrote is from now on a text like any other.
        choose(SOURCE_KEY, "own")
        st.session_state["units-own"] = first.text.text


def rankings_compared(
    texts: Sequence[Compared], tracking: Tracking, pattern: str, settings: Settings
) -> list[Download]:
    """How well the best units of both models track each property; returns the files."""
    t, second = settings.t, texts[1]
    quantity = counterpart(tracking.quantity, second.text.quantities)
    st.subheader(t("Which model tracks what"), anchor=False)
    if quantity not in second.text.quantities:
        st.info(
            t("{model} has no {quantity}; choose another quantity.").format(
                model=second.title, quantity=quantity_name(quantity, t)
            ),
            icon=":material/info:",
        )
        return []
    other = ask_about(TrackingRequest(trace=second.run, quantity=quantity, pattern=pattern), t)
    if quantity != tracking.quantity:
        st.caption(
            t("{model} has no {quantity}; in its place stands its {other}.").format(
                model=second.title,
                quantity=quantity_name(tracking.quantity, t),
                other=quantity_name(quantity, t),
            )
        )
    titles, trackings = [one.title for one in texts], [tracking, other]
    chart = partial(rankings_chart, trackings, names=titles, **look_of(settings))
    left, right = st.columns([3, 4], gap="large")
    with left:
        show_chart(chart())
    with right:
        st.dataframe(_rows(texts, trackings, t), hide_index=True)
        st.caption(
            t(
                "Best unit of each model, r measured on the half of the text that had no part in choosing it. Chance: "
                "what the best unit reaches with the property shifted in time."
            )
        )
    return [
        *chart_files(chart, name=t("Which model tracks what"), ending="rankings", t=t),
        Download(label=t("Which model tracks what, CSV"), ending="rankings.csv", mime="text/csv",
                 make=partial(rankings_csv, trackings, [one.run.model for one in texts])),
    ]  # fmt: skip


def _rows(texts: Sequence[Compared], trackings: Sequence[Tracking], t: Translator) -> list[dict[str, object]]:
    found: list[dict[str, Tracked]] = [{one.property: one for one in tracking.tracked} for tracking in trackings]
    rows = []
    for name in dict.fromkeys(name for one in found for name in one):
        row: dict[str, object] = {t("Property"): property_name(name, t)}
        for mark, text, tracked in zip("AB", texts, found, strict=False):
            best = tracked[name].best[0] if name in tracked else None
            row |= {
                f"{mark} · {t('unit')}": "–" if best is None else short_place(best.place, text.text),
                f"{mark} · r": "–" if best is None else signed(best.held_out),
                f"{mark} · AUC": "" if best is None or np.isnan(best.auc) else f"{best.auc:.2f}",
                f"{mark} · {t('chance')}": "–" if best is None else f"{tracked[name].chance:.2f}",
            }
        rows.append(row)
    return rows
