"""Attention changed by hand: the weights of a step are overridden, and the translation goes on from there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from seqviz.analysis.attention import no_attention
from seqviz.attention import EDIT_KINDS, AttentionEdit, EditedStep, EditedTranslation
from seqviz.config import DecodeConfig
from seqviz.decoding import search
from seqviz.decoding.recorder import top_tokens
from seqviz.decoding.step import StepOutput
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.models.cells import Carry
from seqviz.models.loading import LoadedTranslator
from seqviz.models.packed_decoder import PackedDecoder
from seqviz.text.piece_encoder import BOS_ID, EOS_ID
from seqviz.tracing.attention import CANDIDATES, check_step
from seqviz.tracing.translation import forced_translation, scored_target, source_text, target_ids
from seqviz.tracing.translator_steps import NOT_TEXT, TranslatorSteps
from seqviz.translations import PieceText
from seqviz.types import FloatArray, IntArray

MAX_EDITS = 12


@dataclass(frozen=True, slots=True)
class Overrides:
    """Weights in place of the model's own.

    Args:
        at: by step; such a row holds for its step only.
        from_step, lasting: these weights hold from a step on, where ``at`` has none; None for none.
    """

    at: Mapping[int, FloatArray]
    from_step: int = 0
    lasting: FloatArray | None = None

    def row(self, step: int) -> FloatArray | None:
        """The weights of a step; None for the model's own."""
        if step in self.at:
            return self.at[step]
        return self.lasting if self.lasting is not None and step >= self.from_step else None


@dataclass(frozen=True, slots=True)
class CountedState:
    """The decoder's carries and how many steps it has done; all hypotheses of a search have done as many."""

    step: int
    carries: list[Carry]


class OverriddenSteps:
    """``TranslatorSteps`` whose attention is overridden at some steps: a step function for any search.

    Args:
        decoder: of a model with attention.
        plain: the steps without an override, over the same source.
        overrides: the weights in place of the model's own, one for each source piece.
    """

    def __init__(self, decoder: PackedDecoder, plain: TranslatorSteps, overrides: Overrides) -> None:
        self._decoder, self._plain, self._overrides = decoder, plain, overrides
        self.vocabulary_size = plain.vocabulary_size
        self.bos_id, self.eos_id = BOS_ID, EOS_ID

    def name(self, token: int) -> str:
        return self._plain.name(token)

    def start(self) -> CountedState:
        return CountedState(0, self._plain.start())

    def step(self, state: CountedState, tokens: IntArray) -> StepOutput[CountedState]:
        row = self._overrides.row(state.step)
        with torch.inference_mode():
            out = self._decoder.step(
                self._plain.memory,
                state.carries,
                torch.as_tensor(tokens),
                attention=None if row is None else torch.as_tensor(np.asarray(row, np.float32)).unsqueeze(0),
            )
        return StepOutput(
            log_probs=out.log_probs.numpy(),
            state=CountedState(state.step + 1, out.carries),
            attention=None if out.attention is None else out.attention.numpy(),
            hidden_state=out.carries[-1][0].numpy(),
        )

    def select(self, state: CountedState, rows: IntArray) -> CountedState:
        return CountedState(state.step, self._plain.select(state.carries, rows))


def edited_translation(
    loaded: LoadedTranslator,
    text: str,
    target: str | Sequence[int],
    edits: Sequence[AttentionEdit],
    config: DecodeConfig,
    *,
    max_pieces: int | None = None,
) -> EditedTranslation:
    """Applies edits one after another: each changes a step of the translation so far, and a search goes on from there.

    Args:
        loaded: a model with attention.
        text: the source as typed.
        target: the translation before any edit, as typed or as ids with <eos>.
        edits: in their order; the pieces before an edit's step stay as they are.
        config: how the continuation is searched; its prefix is set here.
        max_pieces: longest source that is accepted; None for any.

    Raises:
        InvalidInputError: the model has no attention, or an edit does not fit the sentence.
    """
    if loaded.model.score is None:
        raise no_attention(loaded.info.name)
    if len(edits) > MAX_EDITS:
        raise InvalidInputError("There are {count} edits; the limit is {limit}.", count=len(edits), limit=MAX_EDITS)
    source = source_text(loaded, text, max_pieces=max_pieces)
    ids = target_ids(loaded, target)
    plain = TranslatorSteps(loaded, source.ids)

    def steps() -> OverriddenSteps:
        return OverriddenSteps(loaded.decoder, plain, overrides)

    before = forced_translation(loaded, text, ids, max_pieces=max_pieces)
    config = replace(config, forbidden=tuple(sorted({*NOT_TEXT, *config.forbidden})))
    overrides = Overrides({})
    done: list[EditedStep] = []
    for edit in edits:
        check_step(edit.step, len(ids))
        old = _forced(steps(), ids[: edit.step + 1])
        row = edited_row(edit, old.attention[-1], source)
        overrides = _with(overrides, edit, row)
        new = _forced(steps(), ids[: edit.step + 1])
        done.append(_edited_step(edit, old, new))
        found = search(
            steps(),
            replace(config, prefix=tuple(ids[: edit.step]), max_length=max(config.max_length, edit.step + 2)),
        )
        if found.best is not None:
            ids = found.tokens(found.best)
            ids = ids if ids[-1] == EOS_ID else (*ids, EOS_ID)
    after = before
    if edits:
        scored = _forced(steps(), ids)
        after = scored_target(
            loaded, source, ids, scored.log_probs.astype(np.float64), scored.attention, candidates=CANDIDATES
        )
    tokens = {token for step in done for token in step.candidate_tokens.tolist()}
    names = {token: loaded.encoder.vocabulary[token] for token in tokens}
    return EditedTranslation(before=before, after=after, steps=tuple(done), names=names)


def edited_row(edit: AttentionEdit, own: FloatArray, source: PieceText) -> FloatArray:
    """The weights that an edit puts in place of the model's own, (source,); they sum to 1.

    Raises:
        UnknownNameError: an unknown kind.
        InvalidInputError: weights that are not one for each piece, below 0 or all 0; or no such word.
    """
    own = np.asarray(own)
    if edit.kind == "freeze":
        return own / own.sum()
    if edit.kind == "set":
        row: FloatArray = np.asarray(edit.weights, np.float64)
        if len(row) == len(source.words) != len(source):
            row = _spread(row, own, source)
        if len(row) != len(source) or not all(math.isfinite(value) and value >= 0 for value in row) or row.sum() <= 0:
            raise InvalidInputError(
                "A row of attention needs {count} weights that are not below 0 and not all 0.", count=len(source.words)
            )
        return row / row.sum()
    if edit.kind != "force":
        raise unknown_name("edit", edit.kind, EDIT_KINDS)
    if not 0 <= edit.word < len(source.words):
        raise InvalidInputError(
            "{field} is {value}; allowed is 0 to {last}.", field="word", value=edit.word, last=len(source.words) - 1
        )
    row = _spread(np.eye(len(source.words))[edit.word], own, source)
    return row / row.sum()


def _spread(words: FloatArray, own: FloatArray, source: PieceText) -> FloatArray:
    """Weights of words as weights of their pieces, each word's shared as the model shared it, else evenly."""
    row = np.zeros(len(source))
    for weight, (start, end) in zip(words, source.words, strict=True):
        total = own[start:end].sum()
        row[start:end] = weight * (own[start:end] / total if total > 0 else 1 / (end - start))
    return row


@dataclass(frozen=True, slots=True)
class _Forced:
    """Given pieces under overridden weights: log P of the whole vocabulary (target, vocabulary), α (target, source)."""

    log_probs: FloatArray
    attention: FloatArray


def _forced(steps: OverriddenSteps, ids: Sequence[int]) -> _Forced:
    state, rows, weights = steps.start(), [], []
    for previous in (BOS_ID, *ids[:-1]):
        out = steps.step(state, np.array([previous]))
        state = out.state
        assert out.attention is not None  # noqa: S101
        rows.append(out.log_probs[0])
        weights.append(out.attention[0])
    return _Forced(np.stack(rows), np.stack(weights))


def _with(overrides: Overrides, edit: AttentionEdit, row: FloatArray) -> Overrides:
    # What was said of the steps behind an edit was said of another continuation.
    at = {step: weights for step, weights in overrides.at.items() if step < edit.step}
    if edit.kind == "freeze":
        return Overrides(at, edit.step, row)
    held = overrides.lasting if overrides.from_step < edit.step else None
    return Overrides({**at, edit.step: row}, overrides.from_step, held)


def _edited_step(edit: AttentionEdit, old: _Forced, new: _Forced) -> EditedStep:
    rows = old.log_probs[-1], new.log_probs[-1]
    # Of either distribution its most probable pieces, in turn.
    top = list(dict.fromkeys(top_tokens(np.stack(rows[::-1]), CANDIDATES).T.ravel().tolist()))[:CANDIDATES]
    return EditedStep(
        edit=edit,
        before=old.attention[-1],
        after=new.attention[-1],
        candidate_tokens=np.array(top),
        before_log_probs=rows[0][top],
        after_log_probs=rows[1][top],
    )
