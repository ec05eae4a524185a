"""Error analysis of one pair: y* against ŷ, piece by piece, and the verdict (syllabus S6)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import streamlit as st

from app.ui.backend import ask, ask_all, show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.reference_input import references_input, set_pair
from app.ui.score_alpha import ALPHA_KEY, alpha_slider
from app.ui.settings import Settings, look_of
from app.ui.translation_inputs import ToTranslate
from app.ui.url import bound, forget, keep, take_matching
from seqviz.backends.translation_requests import ForcedRequest, SearchRequest
from seqviz.charts.error_verdict import (
    definition_latex,
    verdict_advice,
    verdict_latex,
    verdict_reason,
    verdict_title,
)
from seqviz.charts.forced_steps import parting_step, step_chart, steps_sentence, sum_chart
from seqviz.charts.piece_words import piece_label
from seqviz.config import DecodeConfig
from seqviz.decoding.ranking import fell_out
from seqviz.decoding.trace import SearchTrace
from seqviz.error_report import MAX_TARGET
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.metrics.error_analysis import ErrorAnalysis, analyse_error
from seqviz.translation_export import pair_csv, pair_json
from seqviz.translations import ForcedTranslation

BEAM_KEY, STEP_KEY = "errors_beam", "errors_step"
MAX_BEAM = 50
_STEP_OF = "errors-step-of"
SEARCH_ERROR_MODEL = "fra-eng-attention"
SEARCH_ERROR = ("Ils se sont mariés il y a dix ans.", "They got married ten years ago.")
"""Greedy search misses what the French-English model prefers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Both translations with the model's opinion, and the search that found ŷ."""

    human: ForcedTranslation
    output: ForcedTranslation
    search: SearchTrace
    analysis: ErrorAnalysis
    alpha: float

    @property
    def same(self) -> bool:
        return self.human.target.text == self.output.target.text


def pair_part(sentence: ToTranslate, settings: Settings) -> None:
    """Draws inputs, verdict, charts and the candidates of a step."""
    t = settings.t
    field, left, right = st.columns([8, 3, 4], vertical_alignment="top")
    references = references_input(sentence, t, place=field)
    beam = int(
        left.number_input(
            t("Beam B"), 1, MAX_BEAM, 5, key=BEAM_KEY, bind=bound(BEAM_KEY), help=t("1 is greedy search.")
        )
    )
    alpha = alpha_slider(right, t, help=t("The verdict compares what the search compares: (1/L^α) Σ log p."))
    if not references:
        st.info(
            t("Type a human translation y* above; the model then says what it thinks of it."), icon=":material/edit:"
        )
        return
    reference = references[0]
    if len(references) > 1:
        reference = st.selectbox(t("Which translation is y*?"), references)
    try:
        pair = _analysed(sentence, reference, beam, alpha)
    except SeqvizError as error:
        show_error(error, t)
        return
    if pair is None:
        st.warning(t("The search completed no translation; try a wider beam."), icon=":material/info:")
        return
    _verdict(pair, beam, settings)
    _charts(pair, sentence, settings)


def example_button(sentence: ToTranslate, t: Translator) -> None:
    """A pair for which the search is at fault."""
    if sentence.model != SEARCH_ERROR_MODEL:
        return
    st.button(
        t("Example of a search error: greedy search misses y*"),
        key="search-error",
        type="tertiary",
        icon=":material/menu_book:",
        on_click=_take_example,
    )


def _take_example() -> None:
    set_pair(*SEARCH_ERROR)
    st.session_state[BEAM_KEY] = 1
    st.session_state[ALPHA_KEY] = 0.0


def _analysed(sentence: ToTranslate, reference: str, beam: int, alpha: float) -> _Pair | None:
    model, text = sentence.model, sentence.text
    human = ask(ForcedRequest(model=model, text=text, target=reference))
    config = DecodeConfig(beam_size=beam, max_length=MAX_TARGET, alpha=alpha)
    # y* is watched, so that the step at which the beam lost it is known.
    found = ask(SearchRequest(model=model, text=text, config=config, watch=(human.target.ids,)))
    search = found.search
    if search.best is None:
        return None
    if not search.ended(search.best):
        # It was cut at the greatest length: <eos> is put behind it, as behind y*.
        target: dict[str, object] = {"target": found.targets[search.best].text}
    else:
        target = {"ids": search.tokens(search.best)}
    (output,) = ask_all([ForcedRequest(model=model, text=text, **target)])  # type: ignore[arg-type]
    if isinstance(output, SeqvizError):
        raise output
    analysis = analyse_error(human.log_probs.tolist(), output.log_probs.tolist(), alpha=alpha)
    return _Pair(human=human, output=output, search=search, analysis=analysis, alpha=alpha)


def _verdict(pair: _Pair, beam: int, settings: Settings) -> None:
    t = settings.t
    analysis, same = pair.analysis, pair.same
    with st.container(border=True):
        left, right = st.columns([5, 6], vertical_alignment="center")
        with left:
            st.markdown(f"#### {verdict_title(analysis, same=same, t=t)}")
            says = verdict_reason(analysis, beam_size=beam, alpha=pair.alpha, same=same, t=t)
            lost = "" if same else _lost(pair, beam, t)
            st.markdown(f"{says} {lost}")
            st.caption(verdict_advice(analysis, same=same, t=t))
        with right:
            lengths = (len(pair.human.target), len(pair.output.target))
            st.latex(verdict_latex(analysis, lengths=lengths, alpha=pair.alpha, notation=settings.notation, same=same))
            if not settings.presenter:
                st.latex(definition_latex(settings.notation, alpha=pair.alpha))
            if pair.alpha and not same:
                plain = analyse_error(pair.human.log_probs.tolist(), pair.output.log_probs.tolist())
                if plain.verdict != analysis.verdict:
                    st.caption(
                        t("With α = 0, P(y*|x) against P(ŷ|x) alone, the verdict is the other one: {verdict}").format(
                            verdict=verdict_title(plain, same=False, t=t)
                        )
                    )


def _lost(pair: _Pair, beam: int, t: Translator) -> str:
    """Where the beam lost y*."""
    fallen = fell_out(pair.search, pair.human.target.ids)
    if fallen is None:
        return t("The beam completed y* too and ranked it lower.")
    if fallen.rank < 0:
        return t("The beam lost y* at step {step}.").format(step=fallen.step)
    says = t("The beam lost y* at step {step}: it was number {rank} of the step, where the beam keeps {beam}").format(
        step=fallen.step, rank=fallen.rank + 1, beam=beam
    )
    if not math.isnan(fallen.margin):
        says += t(", {margin:.2f} nats below the last of them").format(margin=fallen.margin)
    return says + t(".")


def _charts(pair: _Pair, sentence: ToTranslate, settings: Settings) -> None:
    t, look = settings.t, look_of(settings)
    step = _step(pair)
    left, right = st.columns([3, 2])
    with left:
        show_chart(step_chart(pair.human, pair.output, step=step, **look))
    with right:
        show_chart(sum_chart(pair.human, pair.output, **look))
    left, right = st.columns([10, 2], vertical_alignment="center")
    left.markdown(steps_sentence(pair.human, pair.output, t=t))
    files = [
        *chart_files(
            lambda: step_chart(pair.human, pair.output, step=step, **look), name=t("Pieces"), ending="pieces", t=t
        ),
        *chart_files(lambda: sum_chart(pair.human, pair.output, **look), name=t("Sums"), ending="sums", t=t),
        Download(
            label=t("Every number, JSON"),
            ending="json",
            mime="application/json",
            make=lambda: pair_json(pair.human, pair.output, alpha=pair.alpha, verdict=pair.analysis.verdict),
        ),
        Download(
            label=t("Every number, CSV"), ending="csv", mime="text/csv", make=lambda: pair_csv(pair.human, pair.output)
        ),
    ]
    with right:
        download_popover(files, name=f"error-analysis-{sentence.text}", t=t, key="pair")
    _candidates(pair, step, settings)


def _step(pair: _Pair) -> int:
    """The step that is looked at, from 0: the reader's, else that at which the two part."""
    steps = max(len(pair.human.target), len(pair.output.target))
    parting = parting_step(pair.human, pair.output)
    shown = (pair.human.source.text, pair.human.target.ids)
    if st.session_state.setdefault(_STEP_OF, shown) != shown:  # another pair begins where it parts
        forget(STEP_KEY)
        st.session_state[_STEP_OF] = shown
    text = take_matching(STEP_KEY, r"[1-9]\d{0,3}", "")
    default = min(parting or 0, steps - 1)
    return min(int(text), steps) - 1 if text else default


def _step_moved(default: int) -> None:
    value = str(st.session_state[f"{STEP_KEY}-slider"])
    st.session_state[STEP_KEY] = "" if value == str(default + 1) else value


def _candidates(pair: _Pair, step: int, settings: Settings) -> None:
    """The most probable pieces of a step, after the beginning of y* and after that of ŷ."""
    t = settings.t
    steps = max(len(pair.human.target), len(pair.output.target))
    default = min(parting_step(pair.human, pair.output) or 0, steps - 1)
    st.session_state[f"{STEP_KEY}-slider"] = step + 1
    st.slider(
        t("Step that is looked at"),
        1,
        max(steps, 2),
        key=f"{STEP_KEY}-slider",
        on_change=_step_moved,
        args=(default,),
        help=t("Arrow keys move it."),
    )
    keep(STEP_KEY, "")
    shared = pair.human.target.ids[:step] == pair.output.target.ids[:step]
    sides = [(pair.human, "y*"), (pair.output, "ŷ")]
    for column, (forced, name) in zip(st.columns(2), sides, strict=True):
        with column:
            _side(forced, name, step, shared=shared, t=t)


def _side(forced: ForcedTranslation, name: str, step: int, *, shared: bool, t: Translator) -> None:
    if step >= len(forced.target):
        st.caption(t("{name} has ended before this step.").format(name=name))
        return
    beginning = " ".join(piece_label(piece) for piece in forced.target.pieces[:step]) or "<bos>"
    # A code span takes any text as it is.
    label = re.sub("`", "ˋ", beginning)
    st.markdown(t("{name}, after {beginning}:").format(name=name, beginning=f"`` {label} ``"))
    rows = [
        (forced.names[int(token)], float(log_prob), int(token) == forced.target.ids[step], place)
        for place, (token, log_prob) in enumerate(
            zip(forced.candidate_tokens[step], forced.candidate_log_probs[step], strict=True), start=1
        )
    ]
    if not any(chosen for _, _, chosen, _ in rows):
        own = float(forced.log_probs[step])
        rows.append((forced.target.pieces[step], own, True, 1 + int(forced.ranks[step])))
    st.dataframe(
        [
            {
                t("place"): place,
                t("piece"): piece_label(piece) + (f"  ← {name}" if chosen else ""),
                "p": math.exp(log_prob),
                "log p": log_prob,
            }
            for piece, log_prob, chosen, place in rows
        ],
        hide_index=True,
        key=f"candidates-{name}",
        column_config={
            "p": st.column_config.ProgressColumn("p", min_value=0.0, max_value=1.0, format="%.4f"),
            "log p": st.column_config.NumberColumn("log p", format="%.3f"),
        },
    )
    if shared and name == "ŷ":
        st.caption(t("The same beginning, so the same candidates."))
