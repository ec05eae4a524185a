"""Lessons: short scenes from the syllabus; predict first, then see what the models say."""

import streamlit as st

from app.ui.lesson_view import lesson_list, scene
from app.ui.settings import header, read_settings
from app.ui.url import keep, take
from seqviz.lessons import all_lessons, find_lesson

settings = read_settings()
t = settings.t

header(
    t("Lessons"),
    t(
        "Short scenes from the course, each with a question. Predict first; then the models answer, with the numbers "
        "that they compute now, and the view opens in the state that shows it."
    ),
    settings,
)
names = [lesson.id for lesson in all_lessons()]
take("lesson", names, names[0])
keep("lesson", names[0])
# The scene first: on a phone the list comes below it.
left, right = st.columns([7, 3], gap="medium")
with left:
    scene(find_lesson(st.session_state["lesson"]), settings)
with right:
    lesson_list(settings)
