"""The lessons: the syllabus' examples as short scenes with a question to answer before the numbers are shown.

from seqviz.lessons import check, find_lesson
from seqviz.backends.local import LocalBackend
lesson = find_lesson("B4a")
print(lesson.question["en"], check(lesson, LocalBackend().ask).answer)

The scenes stand in this folder, one file a chapter, in every language of the product. No file holds a result: each
lesson names a claim of ``seqviz.lessons.claims``, which asks a backend, says which choice is right, and gives the
numbers for the sentence that is revealed.
"""

from __future__ import annotations

from seqviz.lessons.catalogue import Chapter, Choice, Lesson, all_lessons, chapters, find_lesson
from seqviz.lessons.claims import CLAIMS, check
from seqviz.lessons.finding import Ask, Finding, filled

__all__ = [
    "CLAIMS",
    "Ask",
    "Chapter",
    "Choice",
    "Finding",
    "Lesson",
    "all_lessons",
    "chapters",
    "check",
    "filled",
    "find_lesson",
]
