"""Error analysis of a set of pairs as a background job: its inputs, its progress, its table (syllabus S6)."""

from __future__ import annotations

import streamlit as st

from app.ui.backend import show_error
from app.ui.background import jobs, own_jobs, problem
from app.ui.charts import chart_files, show_chart
from app.ui.downloads import Download, download_popover
from app.ui.error_pair import BEAM_KEY
from app.ui.job_view import condition_name, job_buttons, linked_job, live_panel, show_job, start_job
from app.ui.reference_input import set_pair
from app.ui.score_alpha import ALPHA_KEY, alpha_slider
from app.ui.settings import Settings, look_of
from app.ui.translation_inputs import MODEL_KEY, ToTranslate
from app.ui.url import bound, keep, take
from seqviz.backends.background_requests import ErrorReportRequest
from seqviz.backends.protocol import JobView
from seqviz.charts.error_shares import blame_name, report_sentence, score_chart, share_chart
from seqviz.error_report import MAX_BEAM, ErrorNews, ErrorReport, ErrorReportConfig, merged_report
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator, translate_error
from seqviz.metrics.corpus_bleu import CorpusBleu
from seqviz.pair_files import MAX_BYTES, MAX_PAIRS, SentencePair, lesson_pairs, lesson_set, read_pairs
from seqviz.translation_export import report_csv, report_json

JOB = "job"
SET_KEY, FILE_BEAM_KEY, WIDER_KEY = "pairs", "file_beam", "wider"
SETS = ("lesson", "file")
_OPENED = "errors-opened"


def file_part(sentence: ToTranslate, settings: Settings) -> None:
    """Draws a run, or what a new one is set up with."""
    t = settings.t
    view = linked_job(JOB, ErrorReportRequest)
    if view is None:
        _setup(sentence, settings)
        return
    live_panel(view, _panel, settings, name="error-run")
    with st.expander(t("Judge other pairs"), icon=":material/add:"):  # drawn always: so its values stay in the URL
        _setup(sentence, settings, shown=view.id)


# ---- a new run


def _setup(sentence: ToTranslate, settings: Settings, *, shown: str = "") -> None:
    t = settings.t
    if not shown:
        jobs().prepare()
    st.caption(
        t(
            "Every pair is searched with B and with the wider beam, y* is scored by the same model, and then it is "
            "said whose fault each difference is. A run goes on in a process of its own while you look at other pages."
        )
    )
    left, beam_place, wider_place, alpha_place = st.columns([6, 2, 2, 3], vertical_alignment="bottom")
    take(SET_KEY, SETS, SETS[0])
    chosen = left.segmented_control(
        t("Pairs"),
        SETS,
        required=True,
        key=SET_KEY,
        format_func=lambda name: {"lesson": t("Our 40 pairs"), "file": t("A file of yours")}[name],
    )
    keep(SET_KEY, SETS[0])
    beam = beam_place.number_input(t("Beam B"), 1, MAX_BEAM, 2, key=FILE_BEAM_KEY, bind=bound(FILE_BEAM_KEY))
    wider = wider_place.number_input(t("Wider beam"), 1, MAX_BEAM, 20, key=WIDER_KEY, bind=bound(WIDER_KEY))
    alpha = alpha_slider(alpha_place, t)
    pairs, title = _pairs(str(chosen), sentence, t)
    config = None
    try:
        config = ErrorReportConfig(model=sentence.model, beam_size=int(beam), wider=int(wider), alpha=round(alpha, 4))
    except SeqvizError as error:
        show_error(error, t)
    st.button(
        t("Judge {count} pairs").format(count=len(pairs)) if pairs else t("Judge the pairs"),
        icon=":material/play_arrow:",
        type="primary",
        key="job-start",
        disabled=config is None or not pairs,
        on_click=_start,
        args=(config, pairs, title),
    )
    if (trouble := problem()) is not None:
        show_error(trouble, t)
    for view in own_jobs():
        if isinstance(view.request, ErrorReportRequest) and view.id != shown:
            st.button(
                t("Back to your run: {what}").format(what=_config_sentence(view.request, t)),
                icon=":material/history:",
                type="tertiary",
                key=f"own-{view.id}",
                on_click=show_job,
                args=(JOB, view.id),
            )


def _pairs(chosen: str, sentence: ToTranslate, t: Translator) -> tuple[tuple[SentencePair, ...], str]:
    """The pairs of a new run and the name of their set; none where something is wrong, and that is said."""
    if chosen == "lesson":
        name = lesson_set(sentence.model)
        if name is None:
            st.info(
                t("Our pairs are French and English, which this model does not read; load a file of your own."),
                icon=":material/info:",
            )
            return (), ""
        return lesson_pairs(name), name
    file = st.file_uploader(
        t(
            "A file in UTF-8 with a pair a line, source and human translation with a tab between them, or CSV; "
            "at most {limit:,} pairs"
        ).format(limit=MAX_PAIRS),
        type=["tsv", "csv", "txt"],
        max_upload_size=MAX_BYTES // 1_000_000,
        key="pairs_file",
    )
    if file is None:
        return (), ""
    try:
        return read_pairs(file.getvalue()), file.name
    except SeqvizError as error:
        show_error(error, t)
        return (), ""


def _start(config: ErrorReportConfig, pairs: tuple[SentencePair, ...], title: str) -> None:
    start_job(JOB, ErrorReportRequest(config=config, pairs=pairs, title=title))


# ---- a run


def _panel(job_id: str, settings: Settings, *, watching: bool) -> None:
    t = settings.t
    try:
        view: JobView[ErrorNews] = jobs().view(job_id)
    except SeqvizError as error:
        show_error(error, t)
        return
    if st.session_state.pop(_OPENED, False) or view.active != watching:
        st.rerun()  # a pair was opened, or the page has to look more often, or no longer
    request = view.request
    assert isinstance(request, ErrorReportRequest)  # noqa: S101 (file_part has looked)
    report = merged_report(request.config, len(request.pairs), view.records)
    _state_line(view, report, t)
    with st.container(horizontal=True, vertical_alignment="center"):
        job_buttons(view, t, prefix="job", stop=t("Cancel"))
        if report.judged:
            with st.container(width=200):
                _downloads(report, settings)
    st.caption(_config_sentence(request, t))
    for trouble in (problem(), view.error):
        if trouble is not None:
            show_error(trouble, t)
    if report.judged:
        _summary(view.id, report, settings)
        _table(report, t)
    if report.skipped:
        with st.expander(t("{count} pairs were left out").format(count=len(report.skipped))):
            st.dataframe(
                [
                    {t("pair"): one.number, t("source sentence"): one.source, t("why"): translate_error(one.error, t)}
                    for one in report.skipped
                ],
                hide_index=True,
            )


def _state_line(view: JobView[ErrorNews], report: ErrorReport, t: Translator) -> None:
    text = t("{state}: pair {done} of {total}").format(
        state=condition_name(view, t), done=report.done, total=report.total
    )
    left = view.records[-1].seconds_left if view.records else None
    if view.active and left:
        text += " · " + t("about {seconds} s left").format(seconds=max(1, round(left)))
    st.progress(report.done / max(report.total, 1), text=text)


def _config_sentence(request: ErrorReportRequest, t: Translator) -> str:
    config = request.config
    return t("{title}, {count} pairs · {model} · B = {beam} against B = {wider} · α = {alpha:g}").format(
        title=t("Our pairs") if request.title in ("fra-eng", "eng-fra") else request.title,
        count=len(request.pairs),
        model=config.model,
        beam=config.beam_size,
        wider=config.wider,
        alpha=config.alpha,
    )


@st.cache_data(show_spinner=False, max_entries=64)
def _corpus(job_id: str, judged: int, _report: ErrorReport) -> tuple[CorpusBleu, CorpusBleu]:
    """Counted once for all who watch the same run."""
    del job_id, judged
    return _report.corpus_bleu()


def _summary(job_id: str, report: ErrorReport, settings: Settings) -> None:
    t, look = settings.t, look_of(settings)
    narrow, wide = _corpus(job_id, len(report.judged), report)
    wider = report.wider_counts()
    config = report.config
    metrics = (
        (t("due to the search"), f"{report.fraction('search'):.0%}", f"{report.count('search')} / {report.errors}"),
        (t("due to the model"), f"{report.fraction('model'):.0%}", f"{report.count('model')} / {report.errors}"),
        (
            t("wider beam ends worse"),
            f"{wider['worse'] / len(report.judged):.0%}",
            t("{worse} worse, {better} better").format(worse=wider["worse"], better=wider["better"]),
        ),
        (t("corpus BLEU, B = {beam}").format(beam=config.beam_size), f"{narrow.score:.2f}", ""),
        (
            t("corpus BLEU, B = {beam}").format(beam=config.wider),
            f"{wide.score:.2f}",
            f"{wide.score - narrow.score:+.2f}",
        ),
    )
    for column, (label, value, delta) in zip(st.columns(5), metrics, strict=True):
        column.metric(label, value, delta or None, delta_color="off", delta_arrow="off")
    st.markdown(report_sentence(report, t=t))
    left, right = st.columns([1, 1])
    with left:
        show_chart(share_chart(report, **look))
        st.caption(t("BLEU by sacrebleu: {signature}").format(signature=narrow.signature))
        st.caption(
            t(
                "Fractions are of the {errors} translations that are not y* itself. Another right translation counts "
                "as a difference too: look at the pairs before you blame anybody."
            ).format(errors=report.errors)
        )
    with right:
        show_chart(score_chart(report, **look))


def _table(report: ErrorReport, t: Translator) -> None:
    rows = [
        {
            t("pair"): pair.number,
            t("source sentence"): pair.source,
            "y*": pair.reference.text,
            "ŷ": pair.output.text,
            t("due to"): blame_name(pair.blame, t),
            "log P(y*)": pair.reference.log_prob,
            "log P(ŷ)": pair.output.log_prob,
            "BLEU": pair.output.bleu,
            t("BLEU, wider"): pair.wider.bleu,
            t("wider is"): {"better": t("better"), "worse": t("worse"), "same": t("the same")}[pair.wider_is],
            t("ŷ, wider"): pair.wider.text,
        }
        for pair in report.judged
    ]
    number = st.column_config.NumberColumn
    st.caption(t("A click on the box before a row opens the pair."))
    st.dataframe(
        rows,
        hide_index=True,
        key="error-table",
        on_select=lambda: _open(report),
        selection_mode="single-row",
        column_config={
            t("pair"): number(width="small"),
            "log P(y*)": number(format="%.2f"),
            "log P(ŷ)": number(format="%.2f"),
            "BLEU": number(format="%.1f"),
            t("BLEU, wider"): number(format="%.1f"),
        },
    )


def _open(report: ErrorReport) -> None:
    """The chosen pair in the view of one pair, searched as it was judged."""
    chosen = st.session_state["error-table"].selection.rows
    if not chosen or chosen[0] >= len(report.judged):
        return
    pair, state = report.judged[chosen[0]], st.session_state
    set_pair(pair.source, pair.reference.text)
    state[MODEL_KEY] = report.config.model
    state[BEAM_KEY] = min(report.config.beam_size, 50)
    state[ALPHA_KEY] = report.config.alpha
    state["errors_part"] = "pair"
    state[_OPENED] = True


def _downloads(report: ErrorReport, settings: Settings) -> None:
    t, look = settings.t, look_of(settings)
    files = [
        Download(label=t("Table, CSV"), ending="csv", mime="text/csv", make=lambda: report_csv(report)),
        Download(
            label=t("Every number, JSON"), ending="json", mime="application/json", make=lambda: report_json(report)
        ),
        *chart_files(lambda: share_chart(report, **look), name=t("Fractions"), ending="fractions", t=t),
        *chart_files(lambda: score_chart(report, **look), name=t("Scores"), ending="scores", t=t),
    ]
    download_popover(files, name="error-analysis", t=t, key="report")
