"""The syllabus' example sentences, each with the model and view that shows it best."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.i18n import Translator
from seqviz.traces import Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example of a page.

    Args:
        id: of the syllabus.
        title: what it shows, in the reader's language.
        text, model, structure: what to run.
        compare_text, compare_model: what to put beside it, if anything.
        loss: Gradients page: the step whose loss goes back; None for the last.
    """

    id: str
    title: str
    text: str
    model: str
    structure: Structure | None = None
    compare_text: str = ""
    compare_model: str = ""
    loss: int | None = None


TEDDY_BEARS = 'He said, "Teddy bears are on sale!"'
TEDDY_ROOSEVELT = 'He said, "Teddy Roosevelt was a great President!"'


def unroll_examples(t: Translator) -> tuple[Example, ...]:
    """The examples of the Unroll page; the first one opens it."""
    return (
        Example(
            id="T1",
            title=t("Names in a sentence: one tag a word"),
            text="Yesterday, Harry Potter met Hermione Granger.",
            model="entities-bilstm",
        ),
        Example(
            id="R7",
            title=t("Names again: an invented spell"),
            text="Harry Potter and Hermione Granger invented a new spell.",
            model="entities-bilstm",
        ),
        Example(
            id="R5a",
            title=t("Teddy: a bear or a president? Only the words behind it tell"),
            text=TEDDY_BEARS,
            model="entities-bilstm",
            compare_text=TEDDY_ROOSEVELT,
        ),
        Example(
            id="R5b",
            title=t("The same sentence, read one way and both ways"),
            text=TEDDY_ROOSEVELT,
            model="entities-lstm",
            compare_model="entities-bilstm",
        ),
        Example(
            id="T1b",
            title=t("Like or dislike: the verdict after every word"),
            text="There is nothing to like in this movie.",
            model="sentiment-lstm",
        ),
        Example(
            id="G6",
            title=t("The same review, read by a plain RNN and by an LSTM"),
            text="There is nothing to like in this movie.",
            model="sentiment-rnn",
            compare_model="sentiment-lstm",
        ),
        Example(
            id="R3",
            title=t("One word in, one verdict out: without the recurrence a small feed-forward network is left"),
            text="wonderful",
            model="sentiment-lstm",
            structure="one_to_one",
        ),
        Example(
            id="L3",
            title=t("A character language model reads: what comes next?"),
            text="The cat, which already ate, was full.",
            model="shakespeare-lstm-2x512",
        ),
        Example(
            id="L6",
            title=t("A character language model writes: each output is the next input"),
            text="T",
            model="shakespeare-lstm-2x512",
            structure="one_to_many",
        ),
        Example(
            id="R6",
            title=t("Two layers deep"),
            text="The mortal moon hath her eclipse",
            model="shakespeare-lstm-2x512",
        ),
    )


LONG_CAT = "The cat , which already ate the fresh fish from the river , was full ."
"""The syllabus' sentence (B4), in the words of WikiText."""

CLAUSE = (
    "which already ate the fresh fish that the old man from the small village had caught in the cold river near the "
    "house of his father before the winter of that year"
)
"""A clause that can be cut after any of its 32 words."""


def gradient_examples(t: Translator) -> tuple[Example, ...]:
    """The examples of the Gradients page; the first one opens it."""
    return (
        Example(
            id="B4",
            title=t("A long dependency: does 'was' still feel 'cat'?"),
            text=LONG_CAT,
            model="wikitext-lstm",
            loss=LONG_CAT.split().index("was") - 1,
        ),
        Example(
            id="B1",
            title=t("Characters: forty steps back"),
            text="To be, or not to be, that is the question",
            model="shakespeare-lstm",
        ),
        Example(
            id="B2",
            title=t("A verdict: which word does the loss reach?"),
            text="This film is not just good, it is a quiet and moving triumph.",
            model="sentiment-lstm",
        ),
        Example(
            id="B2b",
            title=t("Both directions: tags of names"),
            text="Yesterday, Harry Potter met Hermione Granger.",
            model="entities-bilstm",
        ),
    )


def gate_examples(t: Translator) -> tuple[Example, ...]:
    """The examples of the Gates page; the first one opens it."""
    return (
        Example(
            id="G5",
            title=t("The cat was, the cats were: which unit remembers?"),
            text=LONG_CAT,
            model="wikitext-lstm",
        ),
        Example(
            id="G5b",
            title=t("One cat, many cats: the same unit in both sentences"),
            text=LONG_CAT,
            model="wikitext-lstm",
            compare_text="The cats , which already ate the fresh fish from the river , were full .",
        ),
        Example(
            id="G3",
            title=t("A review turns at 'not': what the gates of an LSTM do"),
            text="The film is not good, it is great.",
            model="sentiment-lstm",
        ),
        Example(
            id="G2",
            title=t("A line of Shakespeare in a GRU: keep or overwrite?"),
            text="To be, or not to be, that is the question",
            model="shakespeare-gru",
        ),
        Example(
            id="G6b",
            title=t("The same line in an LSTM and in a GRU"),
            text="To be, or not to be, that is the question",
            model="shakespeare-lstm",
            compare_model="shakespeare-gru",
        ),
        Example(
            id="R1",
            title=t("A plain cell: no gate, everything is written anew"),
            text="To be, or not to be",
            model="shakespeare-rnn",
        ),
    )


def home_examples(t: Translator) -> tuple[Example, ...]:
    """The examples of the home page, each worth a look in every view; the first one opens it."""
    known = {example.id: example for example in (*unroll_examples(t), *gradient_examples(t))}
    return tuple(known[name] for name in ("T1b", "T1", "B4", "B1"))
