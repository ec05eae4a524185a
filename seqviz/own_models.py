"""A reader's own translation models of the Hugging Face family: folders with ``config.json`` and ``model.safetensors``.

``SEQVIZ_MODELS`` names a folder of such folders; the library and the command also take a path. Only JSON and the header
of the weights are read here, without torch and without `transformers`; ``seqviz.models.huggingface`` builds the models.
What could run code or be unpickled is refused before anything is loaded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from seqviz.checkpoints import CONFIG, WEIGHTS, Description, checkpoints_root
from seqviz.errors import CheckpointError, InvalidInputError, SeqvizError, unknown_name
from seqviz.files import subfolders

OWN = "own:"
"""Stands before the folder's name where a model is named, so that it is never mistaken for a checkpoint."""

ROOT_VARIABLE, LIMIT_VARIABLE = "SEQVIZ_MODELS", "SEQVIZ_MODELS_LIMIT_MB"
DEFAULT_LIMIT_MB = 1000
EXTRA = "seqviz[huggingface]"

_MOST_HEADER_BYTES = 100_000_000  # as safetensors itself
_GENERATION, _TOKENIZER_CONFIG = "generation_config.json", "tokenizer_config.json"

# What config.json leaves out has these values in `transformers`.
_DEFAULTS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "marian": {"encoder_layers": 12, "decoder_layers": 12, "decoder_attention_heads": 16, "d_model": 1024}
        | {"vocab_size": 58101, "max_position_embeddings": 1024, "eos_token_id": 0},
        "bart": {"encoder_layers": 12, "decoder_layers": 12, "decoder_attention_heads": 16, "d_model": 1024}
        | {"vocab_size": 50265, "max_position_embeddings": 1024, "eos_token_id": 2},
        "t5": {"num_layers": 6, "num_heads": 8, "d_model": 512, "vocab_size": 32128, "eos_token_id": 1},
    }
)
MODEL_TYPES: tuple[str, ...] = tuple(_DEFAULTS)

# Any one line of files is enough.
_TOKENIZERS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "marian": (("source.spm", "target.spm", "vocab.json"),),
        "t5": (("tokenizer.json",), ("spiece.model",)),
        "bart": (("tokenizer.json",), ("vocab.json", "merges.txt")),
    }
)

# Settings of generate() that bend the model's probabilities; the searches here show the model itself.
_BENDING: Mapping[str, Any] = MappingProxyType(
    {
        "no_repeat_ngram_size": 0,
        "encoder_no_repeat_ngram_size": 0,
        "repetition_penalty": 1.0,
        "encoder_repetition_penalty": 1.0,
        "min_length": 0,
        "min_new_tokens": 0,
        "suppress_tokens": [],
        "begin_suppress_tokens": [],
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConfig:
    """What a Transformer for translation is made of.

    Args:
        model_type: one of ``MODEL_TYPES``.
        vocabulary_size: pieces of the target.
        size: components of a state.
        encoder_layers, decoder_layers: of the Transformer.
        heads: attention heads of each decoder layer.
        eos_id: piece that ends a translation.
        max_positions: longest text on either side, in pieces; None for any.
        task_prefixes: the tasks that the model was trained for, each with the words that are put before the source.
        not_applied: settings of its ``generate`` that the searches leave out, as ``name value``.
        score: how keys and queries are compared.
        cell: always ``"transformer"``.
        task: always ``"translation"``.
    """

    model_type: str
    vocabulary_size: int
    size: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    eos_id: int
    max_positions: int | None
    task_prefixes: tuple[tuple[str, str], ...] = ()
    not_applied: tuple[str, ...] = ()
    score: str = "scaled_dot"
    cell: str = "transformer"
    task: str = "translation"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModelInfo(Description):
    """A model from a local folder.

    Args:
        config: what it is made of.
        folder: where it is.
        num_bytes: of its weights.
    """

    config: OwnConfig
    folder: Path
    num_bytes: int


def own_models_root() -> Path | None:
    """The folder that ``SEQVIZ_MODELS`` names; None if it names none."""
    named = os.environ.get(ROOT_VARIABLE, "").strip()
    return Path(named).expanduser() if named else None


def is_own(name: str) -> bool:
    """Whether a name is that of a model from ``SEQVIZ_MODELS``."""
    return name.startswith(OWN)


def own_folder(name: str) -> Path | None:
    """The folder of an own model; None for the name of a checkpoint.

    Args:
        name: ``own:NAME``, a path, or the bare name of a folder in ``SEQVIZ_MODELS`` that no checkpoint has.

    Raises:
        UnknownNameError: ``own:NAME`` is not there.
        InvalidInputError: the path is no folder.
    """
    root = own_models_root()
    if is_own(name):
        folder = _inside(root, name.removeprefix(OWN))
        if folder is None:
            raise unknown_name("Model", name, [info.name for info in list_own()[0]])
        return folder
    if "/" in name or os.sep in name or name.startswith(("~", ".")):
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise InvalidInputError("{path} is not a folder with a model.", path=name)
        return folder
    return None if (checkpoints_root() / name).is_dir() else _inside(root, name)


def list_own() -> tuple[list[OwnModelInfo], dict[str, SeqvizError]]:
    """All models in ``SEQVIZ_MODELS`` by name, and for each folder that cannot be used the reason."""
    root = own_models_root()
    found: list[OwnModelInfo] = []
    refused: dict[str, SeqvizError] = {}
    try:
        folders = [] if root is None else subfolders(root)
    except SeqvizError as error:
        return [], {str(root): error}
    for folder in folders:
        try:
            if (folder / CONFIG).is_file():
                found.append(read_own(f"{OWN}{folder.name}"))
        except SeqvizError as error:
            refused[folder.name] = error
        except OSError:
            refused[folder.name] = _unreadable(folder.name, CONFIG)
    return found, refused


def read_own(name: str) -> OwnModelInfo:
    """Describes an own model, and refuses one that could not be loaded safely.

    Raises:
        InvalidInputError: there is no such folder.
        CheckpointError: files are missing or damaged, it brings code, it is too large or of an unknown kind.
    """
    folder = own_folder(name)
    if folder is None:
        raise unknown_name("Model", name, [info.name for info in list_own()[0]])
    shown = folder.name
    raw = _json(folder, CONFIG, shown)
    kind = raw.get("model_type")
    if kind not in MODEL_TYPES:
        raise CheckpointError(
            "Model {name} is of type {kind}; known are {known}.", name=shown, kind=kind, known=", ".join(MODEL_TYPES)
        )
    _refuse_code(folder, raw, shown)
    num_bytes = _checked_weights(folder, shown)
    _check_tokenizer(folder, str(kind), shown)
    try:
        config = _config(str(kind), raw, _json(folder, _GENERATION, shown, needed=False))
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            "Checkpoint {name}: {file} is incomplete or wrong: {reason}.", name=shown, file=CONFIG, reason=error
        ) from error
    return OwnModelInfo(
        name=name,
        title=shown,
        family=f"{OWN}{shown}",
        labels=(),
        figures={},
        restricted=False,
        sha256={},
        details={"num_parameters": _num_parameters(folder / WEIGHTS, shown)},
        config=config,
        folder=folder,
        num_bytes=num_bytes,
    )


def own_fingerprint(name: str) -> str:
    """Changes whenever a file of the folder does: by names, sizes and times, for weights are too large to read."""
    folder = own_folder(name)
    try:
        files = sorted(folder.iterdir()) if folder is not None else []
        stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
    except OSError as error:  # it has just been removed
        raise _unreadable(name.removeprefix(OWN), CONFIG) from error
    return hashlib.sha256(repr((str(folder), stats)).encode()).hexdigest()


def has_transformers() -> bool:
    """Whether the package is installed; it is not imported."""
    return importlib.util.find_spec("transformers") is not None


def _unreadable(name: str, file: str) -> CheckpointError:
    return CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=file)


def _inside(root: Path | None, name: str) -> Path | None:
    if root is None or not name or name.startswith(".") or Path(name).name != name or not (root / name).is_dir():
        return None
    return root / name


def _json(folder: Path, file: str, name: str, *, needed: bool = True) -> dict[str, Any]:
    if not needed and not (folder / file).exists():
        return {}
    try:
        raw = json.loads((folder / file).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(name, file) from error
    if not isinstance(raw, dict):
        raise _unreadable(name, file)
    return raw


def _refuse_code(folder: Path, raw: Mapping[str, Any], name: str) -> None:
    for file, content in (
        (CONFIG, raw),
        (_TOKENIZER_CONFIG, _json(folder, _TOKENIZER_CONFIG, name, needed=False)),
        (_GENERATION, _json(folder, _GENERATION, name, needed=False)),
    ):
        if "auto_map" in content or "custom_generate" in content:
            raise CheckpointError(
                "Model {name} brings code of its own ({file} has auto_map); code from a model's folder is never run.",
                name=name,
                file=file,
            )
    if "quantization_config" in raw:
        raise CheckpointError("Model {name} has quantised weights, which cannot be read here.", name=name)


def _checked_weights(folder: Path, name: str) -> int:
    """Bytes of the weights; raises CheckpointError if there are none to be read safely, or too many."""
    path = folder / WEIGHTS
    if not path.is_file():
        raise CheckpointError(
            "Model {name} has no {file}; weights in another format (pytorch_model.bin) are never unpickled. Convert it "
            "with transformers: model.save_pretrained(folder) writes safetensors.",
            name=name,
            file=WEIGHTS,
        )
    num_bytes, limit = path.stat().st_size, _limit_mb()
    if num_bytes > limit * 1_000_000:
        raise CheckpointError(
            "Model {name} has {size} MB of weights; the limit is {limit} MB ({variable} changes it).",
            name=name,
            size=round(num_bytes / 1e6),
            limit=limit,
            variable=LIMIT_VARIABLE,
        )
    return num_bytes


def _limit_mb() -> int:
    try:
        return int(os.environ.get(LIMIT_VARIABLE) or DEFAULT_LIMIT_MB)
    except ValueError:
        return DEFAULT_LIMIT_MB


def _check_tokenizer(folder: Path, kind: str, name: str) -> None:
    ways = _TOKENIZERS[kind]
    if not any(all((folder / file).is_file() for file in files) for files in ways):
        raise CheckpointError(
            "Model {name} has no tokenizer: a folder of type {kind} needs {files}.",
            name=name,
            kind=kind,
            files=" / ".join(" + ".join(files) for files in ways),
        )
    by_sentencepiece = kind == "marian" or not (folder / "tokenizer.json").is_file()
    if kind != "bart" and by_sentencepiece and importlib.util.find_spec("sentencepiece") is None:
        raise CheckpointError(
            "Model {name} splits words with the package sentencepiece: pip install '{extra}'.", name=name, extra=EXTRA
        )


def _config(kind: str, raw: Mapping[str, Any], generation: Mapping[str, Any]) -> OwnConfig:
    values = {
        key: int(default if raw.get(key) is None else raw[key])
        for key, default in _DEFAULTS[kind].items()
        if key != "eos_token_id"
    }
    eos = generation.get("eos_token_id", raw.get("eos_token_id", _DEFAULTS[kind]["eos_token_id"]))
    eos_id = int(eos[0] if isinstance(eos, list) and eos else eos)
    settings = generation or raw
    not_applied = tuple(
        f"{key} {settings[key]}" for key, neutral in _BENDING.items() if settings.get(key) not in (None, neutral)
    )
    tasks = raw.get("task_specific_params") or {}
    prefixes = tuple(
        (str(task), str(options["prefix"]))
        for task, options in tasks.items()
        if isinstance(options, dict) and options.get("prefix")
    )
    if kind == "t5":
        return OwnConfig(
            model_type=kind,
            vocabulary_size=values["vocab_size"],
            size=values["d_model"],
            encoder_layers=values["num_layers"],
            decoder_layers=int(raw.get("num_decoder_layers") or values["num_layers"]),
            heads=values["num_heads"],
            max_positions=None,
            task_prefixes=prefixes,
            not_applied=not_applied,
            score="unscaled_dot",
            eos_id=eos_id,
        )
    return OwnConfig(
        model_type=kind,
        vocabulary_size=int(raw.get("decoder_vocab_size") or values["vocab_size"]),
        size=values["d_model"],
        encoder_layers=values["encoder_layers"],
        decoder_layers=values["decoder_layers"],
        heads=values["decoder_attention_heads"],
        max_positions=values["max_position_embeddings"],
        task_prefixes=prefixes,
        not_applied=not_applied,
        eos_id=eos_id,
    )


def _num_parameters(path: Path, name: str) -> int:
    """Numbers in a file of safetensors, by its header."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(_MOST_HEADER_BYTES, path.stat().st_size - 8):
                raise ValueError("the header's length is wrong")
            header = json.loads(file.read(length))
        return sum(math.prod(entry["shape"]) for key, entry in header.items() if key != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError("Model {name}: {file} is not a file of safetensors.", name=name, file=WEIGHTS) from error
