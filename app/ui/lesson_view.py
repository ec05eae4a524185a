"""The lessons' list and scene."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.ui.backend import ask, show_error
from app.ui.lesson_state import KEPT, answer_of, answers, forget_prediction, note_right, predict, predicted
from app.ui.pages import app_pages
from app.ui.settings import Settings
from app.ui.url import start_anew
from seqviz.errors import SeqvizError
from seqviz.i18n import Translator
from seqviz.lessons import Finding, Lesson, all_lessons, chapters, check, filled

_MARKS = {True: ":material/check_circle:", False: ":material/cancel:", None: None}


def lesson_list(settings: Settings) -> None:
    """All lessons by chapter; a mark says how each was predicted."""
    t, language = settings.t, settings.language
    found = answers()
    st.caption(
        t("{right} of {count} predicted right, {open} still open").format(
            right=sum(one is True for one in found), count=len(found), open=sum(one is None for one in found)
        )
    )
    current = st.session_state["lesson"]
    for chapter in chapters():
        here = current in [lesson.id for lesson in chapter.lessons]
        with (
            st.expander(f"{chapter.id} · {chapter.title[language]}", expanded=here, key=f"chapter-{chapter.id}"),
            st.container(gap=None),
        ):
            for lesson in chapter.lessons:
                st.button(
                    lesson.title[language],
                    key=f"go-{lesson.id}",
                    icon=_MARKS[answer_of(lesson)],
                    type="secondary" if lesson.id == current else "tertiary",
                    on_click=_go,
                    args=(lesson.id,),
                )


def scene(lesson: Lesson, settings: Settings) -> None:
    """One lesson: scene and question, then the answer and the ways on."""
    t, language = settings.t, settings.language
    with st.container(border=True):
        st.subheader(f"{lesson.id} · {lesson.title[language]}", anchor=False)
        st.write(_plain(lesson.scene[language]))
        if predicted(lesson) is None:
            _question(lesson, settings)
        else:
            _answer(lesson, settings)
    _neighbours(lesson, t)


def _question(lesson: Lesson, settings: Settings) -> None:
    t, language = settings.t, settings.language
    texts = {choice.id: choice.text[language] for choice in lesson.choices}
    choice = st.radio(
        f"**{_plain(lesson.question[language])}**",
        list(texts),
        index=None,
        key=f"predict-{lesson.id}",
        format_func=texts.__getitem__,
    )
    st.button(
        t("Reveal"),
        key="reveal",
        icon=":material/visibility:",
        disabled=choice is None,
        help=t("Choose an answer first.") if choice is None else None,
        on_click=predict,
        args=(lesson, choice or ""),
    )


def _answer(lesson: Lesson, settings: Settings) -> None:
    """What the models say, and whether the prediction holds."""
    t, language = settings.t, settings.language
    st.markdown(f"**{_plain(lesson.question[language])}**")
    try:
        with st.spinner(t("The models are asked …"), show_time=False):
            finding: Finding = check(lesson, ask)
    except SeqvizError as error:
        show_error(error, t)
        _again_button(lesson, t)
        return
    made = predicted(lesson)
    right = finding.answer == made
    if answer_of(lesson) is not right:
        note_right(lesson, right=right)
        st.rerun()  # the list beside it counts it
    texts = {choice.id: choice.text[language] for choice in lesson.choices}
    predictions = "".join(
        f"- {_plain(text)}{' · *' + t('your prediction') + '*' if name == made else ''}\n"
        for name, text in texts.items()
    )
    st.markdown(predictions)
    shown = _sentence(texts.get(finding.answer, finding.answer))
    if right:
        st.success(t("Right: {answer}.").format(answer=shown), icon=":material/check_circle:")
    else:
        st.info(t("The models say: {answer}.").format(answer=shown), icon=":material/lightbulb:")
    st.markdown(f"**{_plain(filled(lesson.found[language], finding.numbers))}**")
    if finding.answer == lesson.answer:
        st.write(_plain(lesson.because[language]))
    else:
        st.caption(t("The installed models answer otherwise than those that this lesson was written for."))
    st.markdown(f":material/explore: {t('Try next')}: {_plain(lesson.next[language])}")
    _ways(lesson, settings)


def _ways(lesson: Lesson, settings: Settings) -> None:
    t = settings.t
    pages = app_pages(t)
    page = pages[lesson.page]
    left, right, _ = st.columns([3, 2, 2], vertical_alignment="center")
    label = t("Open this view: {page}").format(page=page.title)
    if left.button(label, key="open-view", icon=page.icon, width="stretch"):
        start_anew(keep=KEPT)
        st.switch_page(page.file, query_params=dict(lesson.query))
    with right:
        _again_button(lesson, t)


def _again_button(lesson: Lesson, t: Translator) -> None:
    st.button(
        t("Predict again"), key="again", type="tertiary", icon=":material/replay:", on_click=_again, args=(lesson,)
    )


def _neighbours(lesson: Lesson, t: Translator) -> None:
    names = [one.id for one in all_lessons()]
    place = names.index(lesson.id)
    left, _, right = st.columns([2, 3, 2])
    ways: tuple[tuple[Any, str, str, int], ...] = (
        (left, t("Previous lesson"), ":material/arrow_back:", place - 1),
        (right, t("Next lesson"), ":material/arrow_forward:", place + 1),
    )
    for column, label, icon, target in ways:
        there = 0 <= target < len(names)
        column.button(
            label,
            key=f"way-{icon}",
            icon=icon,
            disabled=not there,
            width="stretch",
            on_click=_go,
            args=(names[target] if there else lesson.id,),
        )


def _go(lesson_id: str) -> None:
    st.session_state["lesson"] = lesson_id


def _again(lesson: Lesson) -> None:
    forget_prediction(lesson)
    st.session_state.pop(f"predict-{lesson.id}", None)


def _sentence(text: str) -> str:
    return text.rstrip(".。")


def _plain(text: str) -> str:
    """Markdown would read ``<eos>`` as a tag."""
    return text.replace("<", "\\<")
