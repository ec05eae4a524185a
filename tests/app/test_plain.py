"""What a reader types stands in sentences as it is typed."""

from __future__ import annotations

import pytest

from app.ui.backend import error_sentence
from app.ui.plain import as_text
from seqviz.errors import InvalidInputError
from seqviz.i18n import translator
from tests.app.conftest import Opened

MARKED = "**b** $x^2$ [l](http://a) :smile: `c` <b>h</b> :red[r] _e_"
SHOWN = "\\*\\*b\\*\\* \\$x^2\\$ \\[l\\](http\\://a) :\u2060smile: \\`c\\` \\<b>h\\</b> \\:red\\[r\\] \\_e\\_"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        (MARKED, SHOWN),
        ("There is nothing to read yet: type at least one word.",) * 2,
        ("hidden_size is -3; allowed is 1 to 8192.",) * 2,
        ("# a\n- b\n1. c", "\\# a\n\\- b\n1\\. c"),
        ("a \\ b & c | d ~~e~~", r"a \\ b \& c \| d \~\~e\~\~"),
    ],
)
def test_markdown_makes_nothing_of_a_text(text: str, markdown: str) -> None:
    assert as_text(text) == markdown


def test_a_long_text_is_cut_in_the_sentence_of_an_error_and_what_is_allowed_is_not() -> None:
    error = InvalidInputError("{value!r} is not known; known are: {known}.", value="a" * 5000, known="b" * 500)
    assert error_sentence(error, translator("en")) == f"'{'a' * 120}…' is not known; known are: {'b' * 500}."


def test_a_word_that_the_model_does_not_know_is_shown_as_typed(opened: Opened) -> None:
    app = opened(page="app_pages/gradients.py", view="dependency", one=MARKED)
    assert [element.value for element in app.warning] == [f"'{SHOWN}' is not in the vocabulary of wikitext-gru."]


def test_a_missing_word_is_asked_for(opened: Opened) -> None:
    app = opened(page="app_pages/gradients.py", view="dependency", one=" ")
    assert [element.value for element in app.warning] == ["There is nothing to read yet: type at least one word."]
