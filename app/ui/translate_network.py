"""The view of the whole encoder-decoder: the source read, the state handed over, the target written twice."""

from __future__ import annotations

import contextlib

import streamlit as st

from app.ui.backend import ask, ask_ahead, show_error
from app.ui.downloads import Download, download_popover, figure_files
from app.ui.figure import show_figure
from app.ui.own_models import needs_recurrent
from app.ui.pair_focus import moment
from app.ui.pair_numbers import pair_numbers, sums_request
from app.ui.plain import as_text
from app.ui.same_moment import translation_links
from app.ui.settings import Settings
from app.ui.translation_inputs import REFERENCE_KEY, ToTranslate
from app.ui.url import forget, keep, take, take_matching
from seqviz.backends.translation_requests import MAX_NETWORK_PIECES, NetworkRequest
from seqviz.charts.encoder_decoder import encoder_decoder_figure
from seqviz.charts.encoder_decoder_words import pair_sentence
from seqviz.charts.figure import Figure
from seqviz.charts.unroll_layout import UnrollOptions
from seqviz.checkpoints import fingerprint
from seqviz.errors import InvalidInputError, SeqvizError, TextTooLongError
from seqviz.i18n import translator
from seqviz.network_export import network_csv, network_json
from seqviz.translation_network import TranslationNetwork

_FIGURE_KEY = "pair-figure"
_GOOD, _REFERENCE_OF = "pair-good", "reference-of"
BEAM_SIZE = 5


def network_view(sentence: ToTranslate, settings: Settings) -> None:
    """Draws the view."""
    if needs_recurrent(sentence.own, settings.t):
        return
    request = _request(sentence, settings)
    answer = _answer(request, settings)
    if answer is None:
        return
    request, network = answer
    st.markdown(f"**{as_text(pair_sentence(network, settings.t))}**")
    # They are worked out while the picture is drawn.
    if sums := sums_request(request, network, moment(_FIGURE_KEY, network, request)):
        ask_ahead(sums)
    figure = _drawn(request, fingerprint(request.model), settings, network)
    _picture(figure, request, network, settings)
    _foot(figure, network, settings)


def _request(sentence: ToTranslate, settings: Settings) -> NetworkRequest:
    """The reference and how the free run finds its pieces."""
    t = settings.t
    left, right = st.columns([10, 4], vertical_alignment="bottom")
    default = sentence.example.reference if sentence.example else ""
    _follow_reference(sentence, default)
    # As tall as the box for several references that Side by side has for the same value; the first line counts here.
    reference = left.text_area(
        t("Reference, fed by teacher forcing"),
        key=REFERENCE_KEY,
        height=68,
        placeholder=t("Type the right translation, or leave it empty"),
    )
    keep(REFERENCE_KEY, default)
    st.session_state[_REFERENCE_OF] = (sentence.text, sentence.model, reference)
    searches = ("greedy", "beam")
    take("free", searches, "greedy")
    free = right.segmented_control(
        t("Free running"),
        searches,
        required=True,
        key="free",
        format_func=lambda name: {"greedy": t("greedy"), "beam": t("beam of {count}").format(count=BEAM_SIZE)}[name],
    )
    keep("free", "greedy")
    lines = (reference or "").splitlines() or [""]
    return NetworkRequest(
        model=sentence.model, text=sentence.text, reference=lines[0], beam_size=BEAM_SIZE if free == "beam" else 1
    )


def _follow_reference(sentence: ToTranslate, default: str) -> None:
    """A link's reference, or the one typed; that of another sentence gives way to the example's."""
    state = st.session_state
    before = state.get(_REFERENCE_OF)
    if before and before[:2] != (sentence.text, sentence.model) and before[2] == state.get(REFERENCE_KEY):
        forget(REFERENCE_KEY)
    take_matching(REFERENCE_KEY, "(?s).*", default)
    # Set in any case: the widget of another view, of the same name, is not this one.
    state[REFERENCE_KEY] = default if state[REFERENCE_KEY] is None else state[REFERENCE_KEY]


def _answer(request: NetworkRequest, settings: Settings) -> tuple[NetworkRequest, TranslationNetwork] | None:
    """The runs; where something is wrong, a sentence and the last good ones."""
    t = settings.t
    try:
        network = ask(request)
    except SeqvizError as error:
        show_error(error, t)
        problem = error
    else:
        st.session_state[_GOOD] = request
        return request, network
    others: list[tuple[NetworkRequest, str]] = []
    if request.reference.strip() and isinstance(problem, (InvalidInputError, TextTooLongError)):
        alone = NetworkRequest(model=request.model, text=request.text, beam_size=request.beam_size)
        others.append((alone, t("The reference cannot be read: below, the free run alone.")))
    if (good := st.session_state.get(_GOOD)) is not None:
        others.append((good, t("Below: the last text that could be read.")))
    for other, words in others:
        with contextlib.suppress(SeqvizError):
            network = ask(other)
            st.caption(words)
            return other, network
    return None


@st.cache_resource(show_spinner=False, max_entries=32)
def _drawn(request: NetworkRequest, version: str, settings: Settings, _network: TranslationNetwork) -> Figure:
    del request, version
    return encoder_decoder_figure(
        _network,
        options=UnrollOptions(font_size=settings.font_size, notation=settings.notation),
        t=translator(settings.language),
        language=settings.language.replace("_", "-"),
    )


@st.fragment
def _picture(figure: Figure, request: NetworkRequest, network: TranslationNetwork, settings: Settings) -> None:
    """The picture and the arithmetic of its moment; stepping reruns only this."""
    focus = moment(_FIGURE_KEY, network, request)
    show_figure(figure, key=_FIGURE_KEY, focus=focus.to_dict())
    pieces, step = len(network.source), focus.step - len(network.source) - 1
    free = focus.row == "free" and 0 <= step < len(network.runs["free"])
    which = "beam-1" if request.beam_size > 1 else "greedy"
    translation_links(
        "network", request.text, request.model, settings.t, step=step if free else None, pieces=pieces, which=which
    )
    pair_numbers(request, network, focus, settings)


def _foot(figure: Figure, network: TranslationNetwork, settings: Settings) -> None:
    t = settings.t
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption(
        t(
            "Try next: change one word of the reference and watch where the runs part; let a beam write the free run; "
            "feed a reference of another sentence. At most {limit} pieces a side."
        ).format(limit=MAX_NETWORK_PIECES)
    )
    files = [
        *figure_files(lambda: figure, name="", ending="", t=t),
        Download(
            label=t("Every number, JSON"),
            ending="json",
            mime="application/json",
            make=lambda: network_json(network),
        ),
        Download(label=t("Every number, CSV"), ending="csv", mime="text/csv", make=lambda: network_csv(network)),
    ]
    with right:
        download_popover(files, name=network.source.text, t=t)
