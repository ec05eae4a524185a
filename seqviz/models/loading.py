"""From a checkpoint's name to a model ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from seqviz.checkpoints import (
    CheckpointInfo,
    Description,
    TranslatorInfo,
    read_info,
    read_translator,
    verified_files,
)
from seqviz.errors import CheckpointError
from seqviz.models.encoder_decoder import EncoderDecoder
from seqviz.models.packed_decoder import PackedDecoder
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import PieceEncoder, TextEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model with its encoder and description; in evaluation mode, without gradients."""

    info: CheckpointInfo
    model: SequenceModel
    encoder: TextEncoder

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the outputs: classes, tags, or the vocabulary of a language model."""
        return self.info.labels or self.encoder.vocabulary


def load_model(name: str, *, root: Path | None = None) -> LoadedModel:
    """Loads a checkpoint by name, verified: hashes, names and shapes of the weights, format version.

    Raises:
        UnknownNameError: there is no checkpoint of that name.
        CheckpointError: it is damaged, foreign or of a newer format.
    """
    info = read_info(name, root)
    weights_paths, tokenizer_path = verified_files(info, root)
    encoder = TextEncoder.load(tokenizer_path, buckets=info.config.subword_buckets)
    model = SequenceModel(info.config)
    shared = {"output.weight": "embedding.word.weight"} if info.config.tied_output else {}
    _fill(model, info, weights_paths, shared=shared)
    _check_vocabulary(info, found=len(encoder.vocabulary), expected=info.config.vocabulary_size)
    return LoadedModel(info=info, model=model.eval().requires_grad_(False), encoder=encoder)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTranslator:
    """A translation model with its encoder and description; in evaluation mode, without gradients.

    Args:
        info, model, encoder: what a checkpoint holds.
        decoder: the model's decoder for searches.
    """

    info: TranslatorInfo
    model: EncoderDecoder
    encoder: PieceEncoder
    decoder: PackedDecoder


def load_translator(name: str, *, root: Path | None = None) -> LoadedTranslator:
    """Loads a translation checkpoint by name, verified; raises as ``load_model``."""
    info = read_translator(name, root)
    weights_paths, tokenizer_path = verified_files(info, root)
    encoder = PieceEncoder.load(tokenizer_path)
    model = EncoderDecoder(info.config)
    _fill(model, info, weights_paths, shared={})
    _check_vocabulary(info, found=len(encoder.vocabulary), expected=info.config.vocabulary_size)
    model.eval().requires_grad_(False)
    return LoadedTranslator(info=info, model=model, encoder=encoder, decoder=PackedDecoder(model))


def _fill(model: nn.Module, info: Description, paths: tuple[Path, ...], *, shared: dict[str, str]) -> None:
    """Copies the weights of files into a model, each laid over those of the file before it.

    ``shared`` names parameters that are stored under another name. Of a base, weights that the model has not or not in
    this shape are left out: another score function has other ones.
    """
    try:
        *bases, own = (load_file(path) for path in paths)
        shapes = {name: parameter.shape for name, parameter in model.state_dict().items()}
        fitting = [{name: w for name, w in base.items() if shapes.get(name) == w.shape} for base in bases]
        weights = {name: w for part in (*fitting, own) for name, w in part.items()}
        weights |= {name: weights[stored] for name, stored in shared.items() if stored in weights}
        model.load_state_dict(weights, strict=True)
    except (SafetensorError, RuntimeError) as error:
        # PyTorch's first line only says that there are errors; the first of them is in the second.
        reason = str(error).splitlines()[:2][-1].strip().rstrip(".:")
        raise CheckpointError(
            "Checkpoint {name}: the weights do not fit its configuration: {reason}.", name=info.name, reason=reason
        ) from error


def _check_vocabulary(info: Description, *, found: int, expected: int) -> None:
    if found != expected:
        raise CheckpointError(
            "Checkpoint {name}: the tokenizer has {found} entries, the model {expected}.",
            name=info.name,
            found=found,
            expected=expected,
        )
