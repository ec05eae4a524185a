"""The unit that carries number from "cat(s)" to "was/were", found by search (syllabus B4, G5).

Every unit of every layer is read at the word before the verb, in sentences that differ in the subject's number only.
The search chooses by one set of sentences; the score is that of another set with other nouns and other words between
(as Lakretz et al. 2019 look for number units).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqviz.errors import InvalidInputError
from seqviz.gates import NumberUnit, NumberUnits
from seqviz.models.loading import LoadedModel
from seqviz.number_pairs import EXAMPLE_PAIR, HELD_OUT_PAIRS, SEARCH_PAIRS, VERBS, NumberPair
from seqviz.text.encoder import END_OF_LINE
from seqviz.types import FloatArray

_KEPT = 8
_READ = ("cell_state", "hidden_state")


class _Read(NamedTuple):
    """States at the word before the verb: (pair, number, unit) for each (layer, quantity)."""

    states: dict[tuple[int, str], FloatArray]
    verbs: FloatArray


def number_units(loaded: LoadedModel) -> NumberUnits:
    """Searches all units of a word language model.

    Raises:
        InvalidInputError: the model reads no words or reads both ways, or knows too few of the sentences' words.
    """
    started = time.perf_counter()
    config = loaded.info.config
    if config.task != "language_model" or config.bidirectional or END_OF_LINE not in loaded.encoder.vocabulary:
        raise InvalidInputError("{model} does not predict words; choose a word language model.", model=loaded.info.name)
    search, held_out = (_known(loaded, pairs) for pairs in (SEARCH_PAIRS, HELD_OUT_PAIRS))
    if not search or not held_out:
        raise InvalidInputError("{model} knows too few words of the sentence pairs.", model=loaded.info.name)
    with torch.inference_mode():
        found, scored = _read(loaded, search), _read(loaded, held_out)
        candidates: list[NumberUnit] = []
        for place, states in found.states.items():
            candidates += _candidates(place, states, scored.states[place])
        candidates.sort(key=lambda one: (-one.search_auc, -one.effect))
        best = tuple(candidates[:_KEPT])
        courses = _courses(loaded, best)
    likelier = scored.verbs[..., 0] > scored.verbs[..., 1]
    return NumberUnits(
        model=loaded.info.name,
        cell=config.cell,
        searched=len(candidates),
        best=best,
        search_pairs=len(search),
        held_out_pairs=len(held_out),
        median_accuracy=float(np.median([one.accuracy for one in candidates])),
        verb_accuracy=float(np.mean([likelier[:, 0], ~likelier[:, 1]])),
        words=EXAMPLE_PAIR.words(plural=False),
        courses=courses,
        seconds=time.perf_counter() - started,
    )


def _known(loaded: LoadedModel, pairs: Sequence[NumberPair]) -> list[NumberPair]:
    """Pairs all of whose words stand in the vocabulary."""
    vocabulary = set(loaded.encoder.vocabulary)
    return [
        pair for pair in pairs if vocabulary.issuperset({*pair.words(plural=False), *pair.words(plural=True), *VERBS})
    ]


def _ids(loaded: LoadedModel, words: Sequence[str]) -> list[int]:
    return list(loaded.encoder.encode_words([END_OF_LINE, *words]).ids)


def _read(loaded: LoadedModel, pairs: Sequence[NumberPair]) -> _Read:
    """All sentences as one batch, padded on the right; each is read at its own last word."""
    rows = [_ids(loaded, pair.words(plural=plural)) for pair in pairs for plural in (False, True)]
    last = torch.tensor([len(row) - 1 for row in rows])
    ids = torch.zeros(len(rows), int(last.max()) + 1, dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
    model = loaded.model
    states, recorded = model.stack.record(model.embed(ids))
    ends = torch.arange(len(rows)), last

    def by_pair(value: Tensor) -> FloatArray:
        return np.asarray(value.double().numpy().reshape(len(pairs), 2, -1))

    verbs = torch.tensor(_ids(loaded, VERBS)[1:])
    logits = states[ends] @ model.output.weight[verbs].T + model.output.bias[verbs]
    return _Read(
        {
            (one.layer, name): by_pair(one.values[name][ends])
            for one in recorded
            for name in _READ
            if name in one.values
        },
        by_pair(logits),
    )


def _candidates(place: tuple[int, str], search: FloatArray, held_out: FloatArray) -> list[NumberUnit]:
    """Every unit of one quantity; search and held_out (pair, number, unit)."""
    singular, plural = search[:, 0], search[:, 1]
    means = singular.mean(0), plural.mean(0)
    above = means[1] > means[0]
    sign = np.where(above, 1.0, -1.0)
    threshold = (means[0] + means[1]) / 2
    spread = np.sqrt((singular.var(0) + plural.var(0)) / 2)
    effect = np.abs(means[1] - means[0]) / np.where(spread > 0, spread, 1.0)
    figures = [(_auc(side, sign), _accuracy(side, sign, threshold)) for side in (search, held_out)]
    return [
        NumberUnit(
            layer=place[0],
            quantity=place[1],
            unit=unit,
            threshold=float(threshold[unit]),
            plural_above=bool(above[unit]),
            effect=float(effect[unit]),
            search_auc=float(figures[0][0][unit]),
            auc=float(figures[1][0][unit]),
            search_accuracy=float(figures[0][1][unit]),
            accuracy=float(figures[1][1][unit]),
        )
        for unit in range(search.shape[-1])
    ]


def _auc(states: FloatArray, sign: FloatArray) -> FloatArray:
    """P(plural on its side of a singular) over all pairs of sentences, ties half: (pair, number, unit) -> (unit,)."""
    difference = (states[:, None, 1] - states[None, :, 0]) * sign
    return np.asarray((difference > 0).mean((0, 1)) + 0.5 * (difference == 0).mean((0, 1)))


def _accuracy(states: FloatArray, sign: FloatArray, threshold: FloatArray) -> FloatArray:
    side = (states - threshold) * sign
    return np.asarray(((side[:, 0] < 0).mean(0) + (side[:, 1] > 0).mean(0)) / 2)


def _courses(loaded: LoadedModel, best: Sequence[NumberUnit]) -> FloatArray:
    """(unit, number, step) through the example sentence, without the line end before it."""
    both = []
    for plural in (False, True):
        ids = torch.tensor([_ids(loaded, EXAMPLE_PAIR.words(plural=plural))])
        _, recorded = loaded.model.stack.record(loaded.model.embed(ids))
        both.append([recorded[one.layer].values[one.quantity][0, 1:, one.unit].double().numpy() for one in best])
    return np.asarray(np.array(both).transpose(1, 0, 2))
