"""Beam searches of other libraries; each is imported only when it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from seqviz.models.encoder_decoder import EncoderDecoder, Memory
from seqviz.text.piece_encoder import BOS_ID, EOS_ID, PAD_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What all contenders have in common."""

    units: int
    vocabulary: int
    source: int
    beam: int
    steps: int
    forbidden: tuple[int, ...]


def hugging_face(model: EncoderDecoder, memory: Memory, sizes: Sizes) -> Callable[[], list[int]]:
    """``generate`` over our own step: what its search costs, with a model of exactly equal cost.

    The encoded source is inside the model, so the library sees a decoder alone; its cache holds the carries.
    """
    from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
    from transformers.utils import ModelOutput

    class Wrapped(PreTrainedModel, GenerationMixin):
        config_class = PretrainedConfig

        def __init__(self) -> None:
            config = PretrainedConfig(vocab_size=sizes.vocabulary, bos_token_id=BOS_ID, eos_token_id=EOS_ID)
            config.num_hidden_layers = 1
            super().__init__(config)
            self.inner = model

        @property
        def device(self) -> torch.device:
            return torch.device("cpu")

        @classmethod
        def _supports_default_dynamic_cache(cls) -> bool:
            return False

        def prepare_inputs_for_generation(
            self, input_ids: torch.Tensor, *, cache: Any = None, **_: object
        ) -> dict[str, Any]:
            return {"input_ids": input_ids[:, -1], "cache": cache}

        def forward(self, input_ids: torch.Tensor, cache: Any = None, **_: object) -> ModelOutput:
            first = [tuple(part.expand(len(input_ids), -1) for part in carry) for carry in memory.first]
            step = self.inner.step(memory, first if cache is None else cache, input_ids)
            # It takes logits and computes their log softmax itself; that is left out of the step in exchange.
            return ModelOutput(logits=step.log_probs.unsqueeze(1), cache=step.carries)

        @staticmethod
        def _reorder_cache(cache: Any, rows: torch.Tensor) -> Any:
            return [tuple(part.index_select(0, rows) for part in carry) for carry in cache]

    wrapped = Wrapped().eval()
    settings = GenerationConfig(
        num_beams=sizes.beam,
        max_new_tokens=sizes.steps,
        min_new_tokens=sizes.steps,
        length_penalty=0.0,
        suppress_tokens=list(sizes.forbidden),
        bos_token_id=BOS_ID,
        eos_token_id=EOS_ID,
        pad_token_id=PAD_ID,
        use_cache=True,
    )
    start = torch.tensor([[BOS_ID]])

    def run() -> list[int]:
        found = wrapped.generate(start, generation_config=settings)
        return found[0, 1:].tolist()

    return run


def joeynmt(sizes: Sizes) -> Callable[[], object]:
    """JoeyNMT's own beam search over its own recurrent decoder."""
    from joeynmt.decoders import RecurrentDecoder
    from joeynmt.embeddings import Embeddings
    from joeynmt.encoders import RecurrentEncoder
    from joeynmt.model import Model
    from joeynmt.search import beam_search
    from joeynmt.vocabulary import Vocabulary

    special = SimpleNamespace(
        unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>", sep_token=None, lang_tags=[],
        unk_id=0, pad_id=1, bos_id=2, eos_id=3, sep_id=None,
    )  # fmt: skip
    vocabulary = Vocabulary([f"piece{index}" for index in range(sizes.vocabulary - 4)], special)
    torch.manual_seed(0)
    encoder = RecurrentEncoder("lstm", sizes.units // 2, sizes.units)
    decoder = RecurrentDecoder(
        rnn_type="lstm",
        emb_size=sizes.units,
        hidden_size=sizes.units,
        encoder=encoder,
        attention="bahdanau",
        vocab_size=sizes.vocabulary,
        input_feeding=False,
    )
    embed = [Embeddings(embedding_dim=sizes.units, vocab_size=sizes.vocabulary) for _ in range(2)]
    model = Model(encoder, decoder, *embed, vocabulary, vocabulary).eval().requires_grad_(False)
    source = torch.arange(10, 10 + sizes.source).unsqueeze(0)
    mask = torch.ones(1, 1, sizes.source, dtype=torch.bool)
    length = torch.tensor([sizes.source])
    output, hidden, _, _ = model(return_type="encode", src=source, src_length=length, src_mask=mask)

    def run() -> object:
        found, _, _ = beam_search(
            model, sizes.beam, output, hidden, mask, sizes.steps, 0.0, min_output_length=sizes.steps, generate_unk=False
        )
        if found.shape[1] != sizes.steps:
            raise RuntimeError(f"JoeyNMT stopped after {found.shape[1]} steps.")
        return found

    return run
