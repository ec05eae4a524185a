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
from seqviz.models.huggingface import AnyTranslator, LoadedOwnModel
from seqviz.text.encoder import scalar
from seqviz.text.own_encoder import OwnEncoder
from seqviz.text.piece_encoder import BOS_ID, EOS_ID, PieceEncoder, joined
from seqviz.tracing.own_steps import OwnSteps
from seqviz.tracing.translator_steps import TranslatorSteps
from seqviz.translations import ExactProgress, ForcedTranslation, PieceText, TranslationSearch
from seqviz.types import FloatArray

CANDIDATES = 5


def search_translation(
    loaded: AnyTranslator, text: str, config: DecodeConfig, *, watch: Watch = (), max_pieces: int | None = None
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
    steps, config = _prepared(loaded, source, config)
    return _translated(loaded, source, search(steps, config, watch=watch))


class ExactRun:
    """An exact search for a translation, call by call; arguments as for ``search_translation``.

    Its traces have no hidden states: those of very many hypotheses would fill the memory.
    """

    def __init__(
        self, loaded: AnyTranslator, text: str, config: DecodeConfig, *, max_pieces: int | None = None
    ) -> None:
        self._loaded = loaded
        self._source = source_text(loaded, text, max_pieces=max_pieces)
        steps, config = _prepared(loaded, self._source, config)
        self._search = ExactSearch(steps, config, hidden_states=False)

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


def _prepared(
    loaded: AnyTranslator, source: PieceText, config: DecodeConfig
) -> tuple[TranslatorSteps | OwnSteps, DecodeConfig]:
    """The model over a source, and the search within its positions and without ids that are no text."""
    config = _within(loaded, config)
    steps: TranslatorSteps | OwnSteps
    if isinstance(loaded, LoadedOwnModel):
        steps = OwnSteps(loaded, source.ids, max_length=config.max_length)
    else:
        steps = TranslatorSteps(loaded, source.ids)
    return steps, replace(config, forbidden=tuple(sorted({*steps.not_text, *config.forbidden})))


def _translated(loaded: AnyTranslator, source: PieceText, found: SearchTrace) -> TranslationSearch:
    return TranslationSearch(
        model=loaded.info.name,
        source=source,
        search=found,
        targets={row: piece_text(loaded, found.tokens(row)) for row in found.finished},
    )


def own_translations(loaded: LoadedOwnModel, texts: Sequence[str], *, beam_size: int = 5) -> list[str]:
    """The best translation of each text by beam search ranked by the mean log P; greedy for a beam of 1.

    Raises:
        InvalidInputError: a text is empty, or ``beam_size`` is out of range.
    """
    found = []
    for text in texts:
        config = DecodeConfig(search="beam" if beam_size > 1 else "greedy", beam_size=beam_size, alpha=1.0)
        longest = max(24, 2 * len(source_text(loaded, text)))
        best = search_translation(loaded, text, replace(config, max_length=min(longest, 1000))).best
        found.append("" if best is None else best.text)
    return found


def _within(loaded: AnyTranslator, config: DecodeConfig) -> DecodeConfig:
    """The greatest length cut to the positions that a model has."""
    longest = loaded.info.config.max_positions if isinstance(loaded, LoadedOwnModel) else None
    if longest is None or not isinstance(loaded, LoadedOwnModel):
        return config
    return replace(config, max_length=min(config.max_length, longest - len(loaded.beginning) + 1))


def forced_translation(
    loaded: AnyTranslator,
    text: str,
    target: str | Sequence[int],
    *,
    candidates: int = CANDIDATES,
    max_pieces: int | None = None,
    heads: bool = False,
) -> ForcedTranslation:
    """Scores a given translation.

    Args:
        loaded: the model.
        text: the source as typed.
        target: the translation as typed, or ids of its pieces with <eos> at the end.
        candidates: most probable pieces that are kept for each step.
        max_pieces: longest text that is accepted on either side; None for any.
        heads: whether a Transformer's weights of every layer and head are kept.

    Raises:
        InvalidInputError: one of the texts is empty, or the ids are not those of this model.
        TextTooLongError: one has more pieces than ``max_pieces``.
    """
    source = source_text(loaded, text, max_pieces=max_pieces)
    ids = target_ids(loaded, target)
    _check_length(loaded, len(ids), max_pieces)
    if isinstance(loaded, LoadedOwnModel):
        log_probs, weights = OwnSteps(loaded, source.ids).forced(ids)
        forced = scored_target(loaded, source, ids, log_probs, weights[-1].mean(0), candidates=candidates)
        return replace(forced, heads=weights if heads else None)
    with torch.inference_mode():
        memory = loaded.model.encode(torch.tensor([source.ids]))
        readout, attention = loaded.model.forced(memory, torch.tensor([[BOS_ID, *ids[:-1]]]))
        log_probs = torch.log_softmax(loaded.model.logits(readout)[0].double(), -1).numpy()
    alpha = None if attention is None else attention[0].numpy()
    return scored_target(loaded, source, ids, log_probs, alpha, candidates=candidates)


def scored_target(
    loaded: AnyTranslator,
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


def source_text(loaded: AnyTranslator, text: str, *, max_pieces: int | None = None) -> PieceText:
    """The pieces of a source; raises InvalidInputError if there is none, TextTooLongError if there are too many."""
    text = scalar(text).strip()
    encoder: PieceEncoder | OwnEncoder
    if isinstance(loaded, LoadedOwnModel):
        encoder, ids = loaded.source_encoder, loaded.source_encoder.encode(text)
        empty = not loaded.source_encoder.has_text(ids)
    else:
        encoder, ids = loaded.encoder, loaded.encoder.encode(text).ids
        empty = not ids
    if empty:
        raise InvalidInputError("There is nothing to translate yet: type at least one word.")
    _check_length(loaded, len(ids), max_pieces)
    return replace(pieces_of(encoder, ids), text=text)


def target_ids(loaded: AnyTranslator, target: str | Sequence[int]) -> tuple[int, ...]:
    """The ids of a target with <eos>; raises InvalidInputError if it is empty or has ids of another model."""
    eos = loaded.eos_id if isinstance(loaded, LoadedOwnModel) else EOS_ID
    if isinstance(target, str):
        ids = _typed_target(loaded, scalar(target).strip())
        if not ids:
            raise InvalidInputError("The translation is empty: type at least one word.")
        return (*ids, eos)
    ids = tuple(target)
    if not ids or ids[-1] != eos or not all(0 <= token < len(loaded.encoder.vocabulary) for token in ids):
        raise InvalidInputError(
            "These pieces are not of model {name}, or do not end with <eos>.", name=loaded.info.name
        )
    return ids


def _typed_target(loaded: AnyTranslator, text: str) -> tuple[int, ...]:
    """Ids of a translation as typed, without <eos>; none if there is no word in it."""
    if not isinstance(loaded, LoadedOwnModel):
        return loaded.encoder.encode(text).ids
    ids = loaded.encoder.encode(text)
    if not loaded.encoder.has_text(ids):
        return ()
    if ids[-1] == loaded.eos_id:
        ids = ids[:-1]
    given = loaded.beginning[1:]  # what the decoder is given is no prediction
    return ids[len(given) :] if ids[: len(given)] == given else ids


def _check_length(loaded: AnyTranslator, count: int, max_pieces: int | None) -> None:
    own = loaded.info.config.max_positions if isinstance(loaded, LoadedOwnModel) else None
    limit = min((one for one in (max_pieces, own) if one is not None), default=None)
    if limit is not None and count > limit:
        raise TextTooLongError("The text has {count} pieces; the limit is {limit}.", count=count, limit=limit)


def piece_text(loaded: AnyTranslator, ids: Sequence[int]) -> PieceText:
    """Ids of a translation as a text for people."""
    return pieces_of(loaded.encoder, ids)


def pieces_of(encoder: PieceEncoder | OwnEncoder, ids: Sequence[int]) -> PieceText:
    """Ids as a text for people."""
    pieces = tuple(encoder.vocabulary[token] for token in ids)
    words = tuple(encoder.word_groups(ids))
    return PieceText(
        text=encoder.decode(ids),
        ids=tuple(ids),
        pieces=pieces,
        words=words,
        labels=tuple(joined(pieces[start:end]).strip() or "␣" for start, end in words),
    )
