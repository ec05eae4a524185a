"""A long dependency, measured: does a language model still know the subject's number behind a clause? (syllabus B4)

"The cat, which ..., was full" and "The cats, which ..., were full", with a clause that grows word by word. After
every length the model is asked for the verb, and the answer is carried back to the subject (Linzen, Dupoux and Goldberg
2016 measure the first; the gradient is ours).
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from seqviz.errors import InvalidInputError
from seqviz.gradients import Agreement
from seqviz.models.loading import LoadedModel
from seqviz.text.encoder import END_OF_LINE
from seqviz.tracing.gradients import in_float64, through_layers

MAX_CLAUSE = 60


def agreement(
    loaded: LoadedModel,
    *,
    singular: str = "cat",
    plural: str = "cats",
    clause: str,
    verbs: tuple[str, str] = ("was", "were"),
) -> Agreement:
    """Asks for the verb behind every beginning of a clause.

    Args:
        loaded: a language model over words with a line end in its vocabulary.
        singular, plural: the subjects, one word each.
        clause: the words between subject and verb, 0 to 60 of them; read as "The cat, <clause>," and, for none, as
            "The cat".
        verbs: the singular's and the plural's.

    Raises:
        InvalidInputError: the model reads no words, a word is not in its vocabulary, or the clause is too long.
    """
    started = time.perf_counter()
    encoder = loaded.encoder
    if loaded.info.config.task != "language_model" or END_OF_LINE not in encoder.vocabulary:
        raise InvalidInputError("{model} does not predict words; choose a word language model.", model=loaded.info.name)
    subjects, goals = (_ids(loaded, words) for words in ((singular, plural), verbs))
    words = encoder.encode(clause)
    if len(words) > MAX_CLAUSE:
        raise InvalidInputError(
            "The clause has {count} words; the limit is {limit}.", count=len(words), limit=MAX_CLAUSE
        )
    (start, article, comma) = _ids(loaded, (END_OF_LINE, "The", ","))
    texts = [
        [start, article, subject, *([comma, *words.ids[:length], comma] if length else [])]
        for subject in subjects
        for length in range(len(words) + 1)
    ]
    double = in_float64(loaded.model)
    # log P(was) - log P(were) is linear in the last state: (W_was - W_were) h_T + b_was - b_were.
    error = double.weight[goals[0]] - double.weight[goals[1]]
    with torch.no_grad():
        measured = [_measure(loaded, text, error) for text in texts]
        states = torch.stack([state for state, _, _ in measured])
        log_probs = (states @ double.weight.T + double.bias).log_softmax(-1)[:, goals]
    shape = (2, len(words) + 1)
    return Agreement(
        model=loaded.info.name,
        cell=loaded.info.config.cell,
        subjects=(singular, plural),
        verbs=verbs,
        clause=words.originals,
        unknown=tuple(o for o, i in zip(words.originals, words.ids, strict=True) if i == encoder.unknown_id),
        log_probs=log_probs.reshape(*shape, 2).numpy(),
        subject_state=np.array([state for _, state, _ in measured]).reshape(shape),
        subject_embedding=np.array([embedding for _, _, embedding in measured]).reshape(shape),
        seconds=time.perf_counter() - started,
    )


def _ids(loaded: LoadedModel, words: tuple[str, ...]) -> list[int]:
    if not all(word.strip() for word in words):
        raise InvalidInputError("There is nothing to read yet: type at least one word.")
    encoded = loaded.encoder.encode_words(words)
    for word, index in zip(words, encoded.ids, strict=True):
        if index == loaded.encoder.unknown_id:
            raise InvalidInputError("{word!r} is not in the vocabulary of {model}.", word=word, model=loaded.info.name)
    return list(encoded.ids)


def _measure(loaded: LoadedModel, text: list[int], error: Tensor) -> tuple[Tensor, float, float]:
    """The last state, and the norms of the gradients that reach the subject's state and word vector."""
    double = in_float64(loaded.model)
    x = loaded.model.embed(torch.tensor([text])).double()
    states, recorded = double.stack.record(x)
    d_states = torch.zeros_like(states[0])
    d_states[-1] = error
    passes = through_layers(double.stack, recorded, d_states, "language_model")
    first = passes[0]
    return states[0, -1], float(first.found.hidden_state[2].norm()), float(first.d_input[2].norm())
