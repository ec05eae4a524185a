"""From a checkpoint's name to a model ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from seqviz.checkpoints import CheckpointInfo, read_info, verified_files
from seqviz.errors import CheckpointError
from seqviz.models.sequence_model import SequenceModel
from seqviz.text import TextEncoder


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
    weights_path, tokenizer_path = verified_files(info, root)
    encoder = TextEncoder.load(tokenizer_path, buckets=info.config.subword_buckets)
    model = SequenceModel(info.config)
    try:
        weights = load_file(weights_path)
        if info.config.tied_output and "embedding.word.weight" in weights:
            weights["output.weight"] = weights["embedding.word.weight"]
        model.load_state_dict(weights, strict=True)
    except (SafetensorError, RuntimeError) as error:
        raise CheckpointError(
            "Checkpoint {name}: the weights do not fit its configuration: {reason}.",
            name=name,
            reason=str(error).splitlines()[0],
        ) from error
    if len(encoder.vocabulary) != info.config.vocabulary_size:
        raise CheckpointError(
            "Checkpoint {name}: the tokenizer has {found} entries, the model {expected}.",
            name=name,
            found=len(encoder.vocabulary),
            expected=info.config.vocabulary_size,
        )
    return LoadedModel(info=info, model=model.eval().requires_grad_(False), encoder=encoder)
