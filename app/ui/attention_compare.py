"""The view against no attention: a model and its twin without, on one sentence, on a growing one, and by length."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import ask_all, ask_sorted, show_error
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.own_models import needs_recurrent
from app.ui.plain import as_text
from app.ui.settings import Settings, look_of
from app.ui.translation_inputs import MODEL_KEY, TEXT_KEY, ToTranslate
from seqviz.attention_export import growth_csv, growth_json, lengths_csv, lengths_json
from seqviz.backends.translation_requests import SearchRequest
from seqviz.charts.attention_scores import growth_chart, length_chart
from seqviz.checkpoints import TranslatorInfo
from seqviz.errors import SeqvizError
from seqviz.growing_sentence import CLAUSES, FAMILIES, best_text, grown, growth_requests, growth_scores
from seqviz.i18n import Translator
from seqviz.length_bleu import LengthBleu, read_length_bleu
from seqviz.metrics.chrf import sentence_chrf
from seqviz.translation_examples import translation_examples
from seqviz.translation_searches import attention_search
from seqviz.twins import attention_twins

CLAUSES_KEY = "clauses"


def compare_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    t = settings.t
    if needs_recurrent(sentence.own, t):
        return
    models = attention_twins(sentence.models, sentence.model)
    if len(models) < 2:
        st.info(
            t(
                "{title} has no twin that differs in its attention only. For French to English, train one with: "
                "seqviz train fra-eng-plain. Below is what can be shown without it."
            ).format(title=sentence.models[sentence.model].title),
            icon=":material/info:",
        )
    st.caption(
        t(
            "Without attention the decoder gets one vector for the whole source, however long it is. Read both "
            "translations, let the sentence grow until one of them breaks, and see below how BLEU falls with length."
        )
    )
    _one_sentence(sentence, models, settings)
    if sentence.models[sentence.model].family in FAMILIES:
        _growing(models, settings)
    _lengths(models, settings)


def _one_sentence(sentence: ToTranslate, models: list[TranslatorInfo], settings: Settings) -> None:
    t = settings.t
    left, right = st.columns([4, 2], vertical_alignment="center")
    left.subheader(t("The same sentence"), anchor=False)
    long = next(one for one in translation_examples(t) if one.id == "A1")
    if long.model in sentence.models:
        right.button(
            t("The lecture's long sentence"), icon=":material/format_align_left:", on_click=_take, width="stretch",
            args=(long.text, long.model), help=long.text, type="tertiary",
        )  # fmt: skip
    _side_by_side(sentence.text, sentence.example.reference if sentence.example else None, models, settings)


def _take(text: str, model: str) -> None:
    st.session_state[TEXT_KEY], st.session_state[MODEL_KEY] = text, model


def _side_by_side(text: str, reference: str | None, models: list[TranslatorInfo], settings: Settings) -> None:
    """The translations of all models, with chrF where a person's translation is known."""
    t = settings.t
    answers = ask_all([SearchRequest(model=info.name, text=text, config=attention_search(text)) for info in models])
    for column, info, answer in zip(st.columns(len(models), gap="medium"), models, answers, strict=True):
        column.markdown(f"**{info.title}**")
        if isinstance(answer, SeqvizError):
            with column:
                show_error(answer, t)
            continue
        column.markdown(f"##### {as_text(best_text(answer))}")
        if reference is not None:
            column.caption(t("chrF {value}").format(value=f"{sentence_chrf(best_text(answer), reference):.1f}"))
    if reference is not None:
        st.caption(t("By a person: {text}").format(text=as_text(reference)))


@st.fragment
def _growing(models: list[TranslatorInfo], settings: Settings) -> None:
    """A sentence that grows by a slider; moving it reruns only this."""
    t = settings.t
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.subheader(t("Grow the sentence"), anchor=False)
    count = int(st.slider(t("Clauses"), 1, len(CLAUSES), 4, key=CLAUSES_KEY, bind="query-params"))
    text, reference = grown(count)
    st.markdown(f"> {as_text(text)}")
    _side_by_side(text, reference, models, settings)
    with st.spinner(t("Translating the sentence at every length …")):
        curves = _growth(models, settings)
    if curves:
        show_chart(growth_chart(curves, chosen=count, **look_of(settings)))
        with right:
            _growth_files(curves, count, settings)
        st.caption(
            t(
                "chrF against a person's translation: the share of letter sequences in common, in percent; meaningful "
                "for one sentence, as BLEU is not. One sentence is an example, no measurement: that is the curve below."
            )
        )


def _growth_files(curves: dict[str, list[float]], count: int, settings: Settings) -> None:
    t = settings.t
    texts = [grown(clauses) for clauses in range(1, len(CLAUSES) + 1)]
    files = chart_files(lambda: growth_chart(curves, chosen=count, **look_of(settings)), name="", ending="", t=t)
    files += [
        Download(
            label=t("Every number, JSON"), ending="json", mime="application/json",
            make=lambda: growth_json(curves, texts),
        ),
        Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=lambda: growth_csv(curves)),
    ]  # fmt: skip
    download_popover(files, name="growing-sentence", t=t, key="growth")


def _growth(models: list[TranslatorInfo], settings: Settings) -> dict[str, list[float]]:
    """chrF of each model's translation for every number of clauses; the backend keeps the answers."""
    curves = {}
    for info in models:
        answers, errors = ask_sorted(growth_requests(info.name))
        if errors:
            show_error(errors[0], settings.t)
            return {}
        curves[info.title] = growth_scores(answers)
    return curves


def _lengths(models: list[TranslatorInfo], settings: Settings) -> None:
    t = settings.t
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.subheader(t("BLEU by the length of the source"), anchor=False)
    measured: list[LengthBleu] = []
    for info in models:
        try:
            found = read_length_bleu(info.name)
        except SeqvizError as error:
            show_error(error, t)
            continue
        if found is None:
            st.caption(_how_to_measure(info, t))
        else:
            measured.append(found)
    if not measured:
        return
    titles = {info.name: info.title for info in models}

    def chart() -> object:
        return length_chart(measured, titles=titles, **look_of(settings))

    show_chart(chart())  # type: ignore[arg-type]
    one = measured[0]
    st.caption(
        t(
            "Held-out sentences of {data}, beam {beam}, every known reference; points stand at the mean length of "
            "their bin, bands are the middle 95 % of {count} bootstrap resamples (seed {seed}), the numbers at the "
            "bottom count the sentences. A word is what the heatmap calls a word; marks count. Again with: "
            "seqviz bleu-by-length {name} --data {data}"
        ).format(data=one.data, beam=one.beam_size, count=one.resamples, seed=one.seed, name=one.model)
    )
    with right:
        files = chart_files(chart, name="", ending="", t=t)  # type: ignore[arg-type]
        files += [
            Download(
                label=t("Every number, JSON"), ending="json", mime="application/json",
                make=lambda: lengths_json(measured),
            ),
            Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=lambda: lengths_csv(measured)),
        ]  # fmt: skip
        download_popover(files, name="bleu-by-length", t=t)


def _how_to_measure(info: TranslatorInfo, t: Translator) -> str:
    data = info.details.get("data", {}).get("valid", "FILE")
    return t("{title} has not been measured by length yet: seqviz bleu-by-length {name} --data {data}").format(
        title=info.title, name=info.name, data=data
    )
