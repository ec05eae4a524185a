"""A model of the Hugging Face family as a search sees it, with cached keys, and its reading of a given target.

The encoder runs once a source. A state is the keys and values of the decoder's own attention for the pieces written so
far; those over the source are computed once and shared by all hypotheses.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqviz.decoding.step import StepOutput
from seqviz.models.huggingface import LoadedOwnModel
from seqviz.types import FloatArray, IntArray

_Pairs = tuple[tuple[Tensor, Tensor], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnState:
    """What the decoder has read.

    Args:
        past: keys and values of each layer, (hypothesis, head, piece, component); empty before the first piece.
        written: pieces that were predicted so far.
    """

    past: _Pairs
    written: int


class OwnSteps:
    """The decoder over one encoded source; the hypotheses of a search are its batch.

    Args:
        loaded: the model.
        source: ids of the source's pieces with the marks around them.
        max_length: pieces of the longest hypothesis, where a model always ends with <eos>; None for any.
    """

    def __init__(self, loaded: LoadedOwnModel, source: Sequence[int], *, max_length: int | None = None) -> None:
        self._loaded, self._model = loaded, loaded.model
        self._last = max_length if loaded.forced_eos else None
        self._cross: _Pairs = ()
        ids = torch.tensor([list(source)])
        with torch.inference_mode():
            encoder: Any = self._model.get_encoder()  # type: ignore[operator]  # of `transformers`
            self._memory: Tensor = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state

    @property
    def vocabulary_size(self) -> int:
        return len(self._loaded.encoder.vocabulary)

    @property
    def bos_id(self) -> int:
        return self._loaded.beginning[-1]

    @property
    def eos_id(self) -> int:
        return self._loaded.eos_id

    @property
    def not_text(self) -> tuple[int, ...]:
        """Ids that no translation may hold."""
        return self._loaded.forbidden

    def name(self, token: int) -> str:
        return self._loaded.encoder.vocabulary[token]

    def start(self) -> OwnState:
        """The state behind all but the last piece that the decoder is given."""
        state = OwnState(past=(), written=0)
        for token in self._loaded.beginning[:-1]:
            _, past = self._run(state.past, torch.tensor([[token]]))
            state = OwnState(past=past, written=0)
        return state

    def step(self, state: OwnState, tokens: IntArray) -> StepOutput[OwnState]:
        """One step; ``attention`` is the mean over the heads of the highest layer."""
        out, past = self._run(state.past, torch.as_tensor(tokens)[:, None])
        log_probs = torch.log_softmax(out.logits[:, -1].double(), -1).numpy()
        if state.written + 1 == self._last:
            keep = log_probs[:, self.eos_id].copy()
            log_probs[:] = -float("inf")
            log_probs[:, self.eos_id] = keep
        return StepOutput(
            log_probs=log_probs,
            state=OwnState(past=past, written=state.written + 1),
            attention=out.cross_attentions[-1][:, :, -1].mean(1).numpy(),
        )

    def select(self, state: OwnState, rows: IntArray) -> OwnState:
        index = torch.as_tensor(rows)
        with torch.inference_mode():
            past = tuple((keys.index_select(0, index), values.index_select(0, index)) for keys, values in state.past)
        return OwnState(past=past, written=state.written)

    def forced(self, ids: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """The decoder on a given target.

        Args:
            ids: of its pieces with <eos>.

        Returns:
            log P of all pieces at each step in nats, (target, vocabulary), and the weights over the source,
            (layer, head, target, source).
        """
        inputs = torch.tensor([[*self._loaded.beginning, *ids[:-1]]])
        out, _ = self._run((), inputs)
        first = len(self._loaded.beginning) - 1
        log_probs = torch.log_softmax(out.logits[0, first:].double(), -1)
        heads = torch.stack([layer[0, :, first:] for layer in out.cross_attentions])
        return log_probs.numpy(), heads.numpy()

    def _run(self, past: _Pairs, tokens: Tensor) -> tuple[Any, _Pairs]:
        """Feeds pieces, (hypothesis, piece), behind those of ``past``."""
        count = len(tokens)
        outputs, caches = _library()
        cross = tuple((_repeated(keys, count), _repeated(values, count)) for keys, values in self._cross)
        cache = caches.EncoderDecoderCache(caches.DynamicCache(past or None), caches.DynamicCache(cross or None))
        with torch.inference_mode():
            out = self._model(
                encoder_outputs=outputs.BaseModelOutput(last_hidden_state=_repeated(self._memory, count)),
                decoder_input_ids=tokens,
                cache=cache,
                use_cache=True,
                output_attentions=True,
            )
        if not self._cross:
            self._cross = tuple((layer.keys[:1], layer.values[:1]) for layer in cache.cross_attention_cache.layers)
        return out, tuple((layer.keys, layer.values) for layer in cache.self_attention_cache.layers)


def _library() -> tuple[Any, Any]:
    return importlib.import_module("transformers.modeling_outputs"), importlib.import_module("transformers.cache_utils")


def _repeated(one: Tensor, count: int) -> Tensor:
    return one.expand(count, *one.shape[1:])
