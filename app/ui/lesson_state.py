"""How far a visitor is with the lessons; kept in the session."""

from __future__ import annotations

import streamlit as st

from seqviz.lessons import Lesson, chapters

_PREDICTED, _RIGHT = "lessons-predicted", "lessons-right"
KEPT = (_PREDICTED, _RIGHT, "lesson", "lang", "notation", "size")
"""What stays in the session when a lesson opens a view in its exact state."""


def predicted(lesson: Lesson) -> str | None:
    """The choice that was made before the answer was shown; None as long as it is not."""
    found: dict[str, str] = st.session_state.get(_PREDICTED, {})
    return found.get(lesson.id)


def predict(lesson: Lesson, choice: str) -> None:
    """Notes a prediction: from now on the answer is shown."""
    st.session_state[_PREDICTED] = {**st.session_state.get(_PREDICTED, {}), lesson.id: choice}


def note_right(lesson: Lesson, *, right: bool) -> None:
    """Notes whether the models agreed."""
    st.session_state[_RIGHT] = {**st.session_state.get(_RIGHT, {}), lesson.id: right}


def forget_prediction(lesson: Lesson) -> None:
    """The lesson is open again."""
    for key in (_PREDICTED, _RIGHT):
        st.session_state[key] = {k: v for k, v in st.session_state.get(key, {}).items() if k != lesson.id}


def answers() -> list[bool | None]:
    """For each lesson whether it was predicted right; None where it is open."""
    return [answer for chapter in answers_by_chapter().values() for answer in chapter]


def answers_by_chapter() -> dict[str, list[bool | None]]:
    """The same by the letter of each chapter."""
    return {chapter.id: [answer_of(lesson) for lesson in chapter.lessons] for chapter in chapters()}


def answer_of(lesson: Lesson) -> bool | None:
    """Whether it was predicted right; None where it is open."""
    found: dict[str, bool] = st.session_state.get(_RIGHT, {})
    return found.get(lesson.id)
