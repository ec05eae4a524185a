"""From a local folder to a model of the Hugging Face family, ready to run: safetensors only, no code, no network.

`transformers` is imported when the first such model is loaded; it is an optional package.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from seqviz.errors import CheckpointError, SeqvizError
from seqviz.models.loading import LoadedTranslator, load_translator
from seqviz.own_models import EXTRA, OwnModelInfo, has_transformers, own_folder, read_own
from seqviz.text.own_encoder import OwnEncoder

_MODELS: Mapping[str, str] = MappingProxyType(
    {"marian": "MarianMTModel", "t5": "T5ForConditionalGeneration", "bart": "BartForConditionalGeneration"}
)
# Marian's tokenizer is named here because old folders do not name it; the others are found by AutoTokenizer.
_TOKENIZERS: Mapping[str, str] = MappingProxyType({"marian": "MarianTokenizer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedOwnModel:
    """A model of the Hugging Face family with its tokenizer; in evaluation mode, without gradients, in float32.

    Args:
        info: what it is.
        model: of `transformers`.
        source_encoder, encoder: its tokenizer for the source and for the target.
        beginning: ids that the decoder is given before it writes: its start, and a forced first piece if there is one.
        eos_id: ends a translation.
        forced_eos: whether the last piece of the greatest length is always <eos>.
        forbidden: pieces that ``generate`` never chooses.
    """

    info: OwnModelInfo
    model: nn.Module
    source_encoder: OwnEncoder
    encoder: OwnEncoder
    beginning: tuple[int, ...]
    eos_id: int
    forced_eos: bool
    forbidden: tuple[int, ...]


AnyTranslator = LoadedTranslator | LoadedOwnModel


def load_any_translator(name: str) -> AnyTranslator:
    """Loads a translation checkpoint, or an own model by ``own:NAME`` or by its path; raises as both."""
    return load_translator(name) if own_folder(name) is None else load_own_model(name)


def load_own_model(name: str) -> LoadedOwnModel:
    """Loads a model from a local folder.

    Args:
        name: as for ``seqviz.own_models.own_folder``.

    Raises:
        InvalidInputError: there is no such folder.
        CheckpointError: it cannot be loaded safely or wholly, or `transformers` is not installed.
    """
    info = read_own(name)
    with _quietly_offline() as transformers:
        try:
            tokenizer = _tokenizer(transformers, info)
            model = _model(transformers, info)
            source, target = _encoders(tokenizer, model.config, info)
        except SeqvizError:
            raise
        except Exception as error:  # the library raises errors of every kind, ImportError and KeyError among them
            raise CheckpointError(
                "Model {name} cannot be loaded: {reason}.",
                name=info.title,
                reason=(str(error).strip().splitlines() or [type(error).__name__])[0].rstrip("."),
            ) from error
    settings: Any = model.generation_config
    return LoadedOwnModel(
        info=info,
        model=model,
        source_encoder=source,
        encoder=target,
        beginning=_beginning(settings, info, len(target.vocabulary)),
        eos_id=_eos(settings, info, len(target.vocabulary)),
        forced_eos=settings.forced_eos_token_id is not None,
        forbidden=tuple(sorted({words[0] for words in settings.bad_words_ids or () if len(words) == 1})),
    )


@contextmanager
def _quietly_offline() -> Iterator[Any]:
    """`transformers`, without progress bars and without any way to a network; both are put back as they were."""
    if not has_transformers():
        raise CheckpointError(
            "Models of the Hugging Face family need the package transformers: pip install '{extra}'.", extra=EXTRA
        )
    hub: Any = importlib.import_module("huggingface_hub.constants")
    before = hub.HF_HUB_OFFLINE
    hub.HF_HUB_OFFLINE = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            transformers = importlib.import_module("transformers")
            log = transformers.utils.logging
            level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
            log.set_verbosity_error()
            log.disable_progress_bar()
            try:
                yield transformers
            finally:
                log.set_verbosity(level)
                if bars:
                    log.enable_progress_bar()
    finally:
        hub.HF_HUB_OFFLINE = before


def _tokenizer(transformers: Any, info: OwnModelInfo) -> Any:
    name = _TOKENIZERS.get(info.config.model_type, "AutoTokenizer")
    return getattr(transformers, name).from_pretrained(str(info.folder), local_files_only=True, trust_remote_code=False)


def _model(transformers: Any, info: OwnModelInfo) -> nn.Module:
    model, report = getattr(transformers, _MODELS[info.config.model_type]).from_pretrained(
        str(info.folder),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        attn_implementation="eager",  # the only one that hands out its weights
        dtype=torch.float32,
        output_loading_info=True,
    )
    # The library fills what a file does not have with random numbers.
    if missing := sorted(report["missing_keys"]):
        raise CheckpointError(
            "Model {name}: {count} of its weights are missing in the file, {first} among them.",
            name=info.title,
            count=len(missing),
            first=missing[0],
        )
    return model.eval().requires_grad_(False)


def _encoders(tokenizer: Any, config: Any, info: OwnModelInfo) -> tuple[OwnEncoder, OwnEncoder]:
    sizes = (int(config.vocab_size), info.config.vocabulary_size)
    separate = bool(getattr(tokenizer, "separate_vocabs", False))
    known = (len(tokenizer.encoder), len(tokenizer.target_encoder)) if separate else (len(tokenizer), len(tokenizer))
    for size, pieces in zip(sizes, known, strict=True):
        if pieces > size:  # fewer are common: tables are padded to a round size
            raise CheckpointError(
                "Checkpoint {name}: the tokenizer has {found} entries, the model {expected}.",
                name=info.title,
                found=pieces,
                expected=size,
            )
    return OwnEncoder(tokenizer, size=sizes[0], side="source"), OwnEncoder(tokenizer, size=sizes[1], side="target")


def _beginning(settings: Any, info: OwnModelInfo, size: int) -> tuple[int, ...]:
    start = settings.decoder_start_token_id if settings.decoder_start_token_id is not None else settings.bos_token_id
    forced = settings.forced_bos_token_id
    found = tuple(token for token in (start, forced) if token is not None)
    if start is None or not all(isinstance(token, int) and 0 <= token < size for token in found):
        raise CheckpointError(
            "Model {name}: its configuration does not say which piece the decoder starts with.", name=info.title
        )
    return found


def _eos(settings: Any, info: OwnModelInfo, size: int) -> int:
    eos = settings.eos_token_id
    if isinstance(eos, list) and len(eos) == 1:
        eos = eos[0]
    if not isinstance(eos, int) or not 0 <= eos < size:
        raise CheckpointError(
            "Model {name}: its configuration does not name one piece that ends a translation.", name=info.title
        )
    return eos
