"""A translation model and a sentence to a result: a search with its tree, or a given target by teacher forcing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.exact import ExactSearch
from seqviz.decoding.recorder import Watch, top_tokens
from seqviz.decoding.trace import SearchTrace
from seqviz.errors import InvalidInputError, TextTooLongError
from seqviz.models.loading import LoadedTranslator
from seqviz.text.encoder import scalar
from seqviz.text.piece_encoder import BOS_ID, EOS_ID, joined
from seqviz.tracing.translator_steps import NOT_TEXT, TranslatorSteps
from seqviz.translations import ExactProgress, ForcedTranslation, PieceText, TranslationSearch
from seqviz.types import FloatArray

CANDIDATES = 5


def search_translation(
    loaded: LoadedTranslator, text: str, config: DecodeConfig, *, watch: Watch = (), max_pieces: int | None = None
) -> TranslationSearch:
    """Searches for the translation of a sentence.

    Args:
        loaded: the model.
        text: as typed.
        config: how it is searched; ids that are no text are forbidden in any case.
        watch: token ids of sequences whose beginnings are recorded, <eos> included.
        max_pieces: longest source that is accepted; None for any.

    Raises:
        InvalidInputError: the text is empty.
        TextTooLongError: it has more pieces than ``max_pieces``.
    """
    source = source_text(loaded, text, max_pieces=max_pieces)
    return _translated(loaded, source, search(TranslatorSteps(loaded, source.ids), _of_text(config), watch=watch))


class ExactRun:
    """An exact search for a translation, call by call; arguments as for ``search_translation``.

    Its traces have no hidden states: those of very many hypotheses would fill the memory.
    """

    def __init__(
        self, loaded: LoadedTranslator, text: str, config: DecodeConfig, *, max_pieces: int | None = None
    ) -> None:
        self._loaded = loaded
        self._source = source_text(loaded, text, max_pieces=max_pieces)
        steps = TranslatorSteps(loaded, self._source.ids)
        self._search = ExactSearch(steps, _of_text(config), hidden_states=False)

    def advance(self) -> bool:
        """Asks the model once; False where the optimum is proven or the budget is spent."""
        return self._search.advance()

    def allow(self, max_expansions: int) -> None:
        """Gives it another budget."""
        self._search.allow(max_expansions)

    def progress(self) -> ExactProgress:
        """How far it has come."""
        search = self._search
        return ExactProgress(
            expansions=search.expansions,
            budget=search.budget,
            text=self._loaded.encoder.decode(search.best_tokens),
            log_prob=search.best_log_prob,
            score=search.best_score,
            upper_bound=search.upper_bound,
            proven=search.proven,
        )

    def found(self) -> TranslationSearch:
        """The search as it stands; it may go on afterwards."""
        return _translated(self._loaded, self._source, self._search.trace())


def _of_text(config: DecodeConfig) -> DecodeConfig:
    return replace(config, forbidden=tuple(sorted({*NOT_TEXT, *config.forbidden})))


def _translated(loaded: LoadedTranslator, source: PieceText, found: SearchTrace) -> TranslationSearch:
    return TranslationSearch(
        model=loaded.info.name,
        source=source,
        search=found,
        targets={row: piece_text(loaded, found.tokens(row)) for row in found.finished},
    )


def forced_translation(
    loaded: LoadedTranslator,
    text: str,
    target: str | Sequence[int],
    *,
    candidates: int = CANDIDATES,
    max_pieces: int | None = None,
) -> ForcedTranslation:
    """Scores a given translation.

    Args:
        loaded: the model.
        text: the source as typed.
        target: the translation as typed, or ids of its pieces with <eos> at the end.
        candidates: most probable pieces that are kept for each step.
        max_pieces: longest text that is accepted on either side; None for any.

    Raises:
        InvalidInputError: one of the texts is empty, or the ids are not those of this model.
        TextTooLongError: one has more pieces than ``max_pieces``.
    """
    source = source_text(loaded, text, max_pieces=max_pieces)
    ids = target_ids(loaded, target)
    if max_pieces is not None and len(ids) > max_pieces:
        raise TextTooLongError("The text has {count} pieces; the limit is {limit}.", count=len(ids), limit=max_pieces)
    with torch.inference_mode():
        memory = loaded.model.encode(torch.tensor([source.ids]))
        readout, attention = loaded.model.forced(memory, torch.tensor([[BOS_ID, *ids[:-1]]]))
        log_probs = torch.log_softmax(loaded.model.logits(readout)[0].double(), -1).numpy()
    weights = None if attention is None else attention[0].numpy()
    return scored_target(loaded, source, ids, log_probs, weights, candidates=candidates)


def scored_target(
    loaded: LoadedTranslator,
    source: PieceText,
    ids: Sequence[int],
    log_probs: FloatArray,
    attention: FloatArray | None,
    *,
    candidates: int,
) -> ForcedTranslation:
    """A target with the distribution of each of its steps.

    Args:
        loaded: the model.
        source: what is translated.
        ids: of the target's pieces with <eos>.
        log_probs: log P(piece | y_<t, x) of all pieces, (target, vocabulary).
        attention: α, (target, source); None without attention.
        candidates: most probable pieces that are kept for each step.
    """
    own = log_probs[np.arange(len(ids)), list(ids)]
    top = top_tokens(log_probs, candidates)
    return ForcedTranslation(
        model=loaded.info.name,
        source=source,
        target=piece_text(loaded, ids),
        log_probs=own,
        ranks=(log_probs > own[:, None]).sum(1),
        candidate_tokens=top,
        candidate_log_probs=np.take_along_axis(log_probs, top, 1),
        names={token: loaded.encoder.vocabulary[token] for token in {*ids, *top.ravel().tolist()}},
        attention=attention,
    )


def source_text(loaded: LoadedTranslator, text: str, *, max_pieces: int | None = None) -> PieceText:
    """The pieces of a source; raises InvalidInputError if there is none, TextTooLongError if there are too many."""
    text = scalar(text).strip()
    ids = loaded.encoder.encode(text).ids
    if not ids:
        raise InvalidInputError("There is nothing to translate yet: type at least one word.")
    if max_pieces is not None and len(ids) > max_pieces:
        raise TextTooLongError("The text has {count} pieces; the limit is {limit}.", count=len(ids), limit=max_pieces)
    return replace(piece_text(loaded, ids), text=text)


def target_ids(loaded: LoadedTranslator, target: str | Sequence[int]) -> tuple[int, ...]:
    """The ids of a target with <eos>; raises InvalidInputError if it is empty or has ids of another model."""
    if isinstance(target, str):
        ids = loaded.encoder.encode(scalar(target).strip()).ids
        if not ids:
            raise InvalidInputError("The translation is empty: type at least one word.")
        return (*ids, EOS_ID)
    ids = tuple(target)
    if not ids or ids[-1] != EOS_ID or not all(0 <= token < len(loaded.encoder.vocabulary) for token in ids):
        raise InvalidInputError(
            "These pieces are not of model {name}, or do not end with <eos>.", name=loaded.info.name
        )
    return ids


def piece_text(loaded: LoadedTranslator, ids: Sequence[int]) -> PieceText:
    """Ids as a text for people."""
    pieces = tuple(loaded.encoder.vocabulary[token] for token in ids)
    words = tuple(loaded.encoder.word_groups(ids))
    return PieceText(
        text=loaded.encoder.decode(ids),
        ids=tuple(ids),
        pieces=pieces,
        words=words,
        labels=tuple(joined(pieces[start:end]).strip() or "␣" for start, end in words),
    )
