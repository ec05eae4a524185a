"""Claims about states and outputs along a sentence (syllabus R)."""

from __future__ import annotations

from collections import Counter

import numpy as np

from seqviz.backends.requests import TraceRequest
from seqviz.lessons.finding import Ask, Finding


def same_word_twice(ask: Ask, /, *, model: str, text: str, word: str) -> Finding:
    """Whether the first and the second ``word`` of a text have the same input and leave the same state (R1).

    Answers ``"same"`` or ``"different"``, of the states.
    """
    trace = ask(TraceRequest(model=model, text=text))
    first, second = [step for step, original in enumerate(trace.originals) if original == word][:2]
    states = trace.layers[-1].hidden_state
    inputs = float(np.abs(trace.embeddings[first] - trace.embeddings[second]).max())
    apart = float(np.abs(states[first] - states[second]).max())
    return Finding(
        answer="same" if apart == 0 else "different",
        numbers={"word": word, "first": first + 1, "second": second + 1, "inputs": inputs, "states": apart},
    )


def word_that_turns(ask: Ask, /, *, model: str, text: str, label: str) -> Finding:
    """The word at which P(label) moves furthest from what it was a word before (R3)."""
    trace = ask(TraceRequest(model=model, text=text))
    shares = trace.probabilities[:, trace.labels.index(label)]
    step = int(np.abs(np.diff(shares)).argmax()) + 1
    return Finding(
        answer=trace.originals[step],
        numbers={
            "word": trace.originals[step],
            "before": float(shares[step - 1]),
            "after": float(shares[step]),
            "end": float(shares[-1]),
            "label": label,
        },
    )


def same_words(ask: Ask, /, *, model: str, text: str, other: str, label: str) -> Finding:
    """Which of two texts made of the same words has the higher P(label) (R4).

    Answers ``"first"``, ``"second"`` or ``"equal"``.
    """
    traces = [ask(TraceRequest(model=model, text=one)) for one in (text, other)]
    first, second = (float(one.probabilities[-1, one.labels.index(label)]) for one in traces)
    bags = [Counter(piece.lower() for piece in one.originals) for one in traces]
    if bags[0] != bags[1]:
        raise ValueError("the two texts have different words")
    return Finding(
        answer="equal" if first == second else "first" if first > second else "second",
        numbers={"first": first, "second": second, "label": label},
    )


def output_at_a_word(ask: Ask, /, *, model: str, text: str, other: str, word: str) -> Finding:
    """Whether two sentences that begin alike have the same output at ``word``, before they part (R5).

    Answers ``"same"`` or ``"different"``.
    """
    traces = [ask(TraceRequest(model=model, text=one)) for one in (text, other)]
    step = traces[0].originals.index(word)
    if traces[0].originals[: step + 1] != traces[1].originals[: step + 1]:
        raise ValueError("the two texts part before the word")
    apart = float(np.abs(traces[0].probabilities[step] - traces[1].probabilities[step]).max())
    (first, first_share), (second, second_share) = (one.top(step, 1)[0] for one in traces)
    person = [float(one.probabilities[step, one.labels.index("B-PER")]) for one in traces]
    return Finding(
        answer="same" if apart < 1e-6 else "different",  # float32, in batches of other lengths
        numbers={
            "apart": apart,
            "first": first,
            "first_share": first_share,
            "second": second,
            "second_share": second_share,
            "first_person": person[0],
            "second_person": person[1],
        },
    )


def tags_of_names(ask: Ask, /, *, model: str, text: str, names: tuple[str, ...], kind: str) -> Finding:
    """How many of ``names`` are tagged as ``kind``: ``"none"``, ``"some"`` or ``"all"`` (R7)."""
    trace = ask(TraceRequest(model=model, text=text))
    steps = [trace.originals.index(name) for name in names]
    hits = [trace.top(step, 1)[0][0].endswith(kind) for step in steps]
    unknown = sum(trace.pieces[step] == "<unk>" for step in steps)
    others = sum(
        trace.top(step, 1)[0][0].endswith(kind) for step in range(len(trace)) if trace.originals[step] not in names
    )
    return Finding(
        answer="all" if all(hits) else "some" if any(hits) else "none",
        numbers={"found": sum(hits), "names": len(names), "unknown": unknown, "others": others},
    )
