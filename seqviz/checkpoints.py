"""The registry of checkpoints: list, describe, verify, write. No torch here; ``seqviz.models.loading`` builds models.

A checkpoint is a folder ``checkpoints/<name>/`` with ``config.json`` (what it is, with the SHA-256 of the other files),
``model.safetensors``, ``tokenizer.json`` and ``README.md`` (the model card). Nothing in it is ever unpickled.

A fine-tuned checkpoint holds only the weights that differ from those of the one that it started from, its *base*, and
no tokenizer: ``config.json`` names the base and the SHA-256 of the base's weights.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqviz.config import ModelConfig, TranslationConfig
from seqviz.errors import CheckpointError, InvalidInputError, SeqvizError, UnknownNameError, unknown_name
from seqviz.files import subfolders, writing

FORMAT = "seqviz-checkpoint"
FORMAT_VERSION = 1
CONFIG, WEIGHTS, TOKENIZER, CARD = "config.json", "model.safetensors", "tokenizer.json", "README.md"


def checkpoints_root() -> Path:
    """The folder of the checkpoints: ``SEQVIZ_CHECKPOINTS``, or the one beside the package."""
    return Path(os.environ.get("SEQVIZ_CHECKPOINTS") or Path(__file__).resolve().parent.parent / "checkpoints")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The checkpoint that a fine-tuned one started from.

    Args:
        name: of its folder.
        weights: SHA-256 of its ``model.safetensors``.
    """

    name: str
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What ``config.json`` says of a checkpoint of any kind.

    Args:
        name: of the folder.
        title: for people.
        family: models of one family share data and task and may be compared.
        labels: class or tag names in the order of the outputs; empty where the outputs are the vocabulary.
        figures: measured on the held-out split, by the names of ``seqviz evaluate``.
        restricted: the licence of the data forbids commercial use or is for research only.
        sha256: of ``model.safetensors`` and ``tokenizer.json``.
        details: everything else (data, licence, command, seed, time).
        base: what holds the weights that this checkpoint does not; None where it holds them all.
    """

    name: str
    title: str
    family: str
    labels: tuple[str, ...]
    figures: dict[str, float]
    restricted: bool
    sha256: dict[str, str]
    details: dict[str, Any] = field(default_factory=dict)
    base: Base | None = None

    @property
    def num_parameters(self) -> int:
        """Number of weights and biases."""
        return int(self.details.get("num_parameters", 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointInfo(Description):
    """A model of one sequence: language model, classifier or tagger."""

    config: ModelConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatorInfo(Description):
    """A translation model."""

    config: TranslationConfig


def list_checkpoints(root: Path | None = None) -> tuple[list[CheckpointInfo], dict[str, SeqvizError]]:
    """All readable models of one sequence by name, and for each unreadable folder the reason.

    Only ``config.json`` is read, so this costs a millisecond; the weights are verified when they are loaded.
    """
    found, broken = list_all(root)
    return [info for info in found if isinstance(info, CheckpointInfo)], broken


def list_translators(root: Path | None = None) -> tuple[list[TranslatorInfo], dict[str, SeqvizError]]:
    """All readable translation models by name, and for each unreadable folder the reason."""
    found, broken = list_all(root)
    return [info for info in found if isinstance(info, TranslatorInfo)], broken


def list_all(root: Path | None = None) -> tuple[list[CheckpointInfo | TranslatorInfo], dict[str, SeqvizError]]:
    """All readable checkpoints of every kind by name, and for each unreadable folder the reason."""
    root = root or checkpoints_root()
    found: list[CheckpointInfo | TranslatorInfo] = []
    broken: dict[str, SeqvizError] = {}
    try:
        folders = subfolders(root)
    except SeqvizError as error:
        return [], {root.name: error}
    for folder in folders:
        try:
            found.append(read_any(folder.name, root))
        except SeqvizError as error:
            broken[folder.name] = error
    return found, broken


def read_info(name: str, root: Path | None = None) -> CheckpointInfo:
    """Describes one model of one sequence.

    Raises:
        UnknownNameError: there is no such folder.
        InvalidInputError: it is a translation model.
        CheckpointError: its ``config.json`` is missing, damaged, foreign or of a newer format.
    """
    info = read_any(name, root)
    if not isinstance(info, CheckpointInfo):
        raise InvalidInputError(
            "{name} is a translation model; a language model, classifier or tagger is needed here.", name=name
        )
    return info


def read_translator(name: str, root: Path | None = None) -> TranslatorInfo:
    """Describes one translation model; raises as ``read_info``."""
    info = read_any(name, root)
    if not isinstance(info, TranslatorInfo):
        raise InvalidInputError("{name} is not a translation model; one is needed here.", name=name)
    return info


def read_any(name: str, root: Path | None = None) -> CheckpointInfo | TranslatorInfo:
    """Describes one checkpoint of whatever kind; raises UnknownNameError and CheckpointError as ``read_info``."""
    root = root or checkpoints_root()
    folder = _folder(name, root)
    try:
        raw = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=CONFIG) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise CheckpointError("Checkpoint {name} is not a seqviz checkpoint.", name=name)
    if raw.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            "Checkpoint {name} has format version {version}; this seqviz reads version {known}.",
            name=name,
            version=raw.get("format_version"),
            known=FORMAT_VERSION,
        )
    try:
        info = _described(name, raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            "Checkpoint {name}: {file} is incomplete or wrong: {reason}.",
            name=name,
            file=CONFIG,
            reason=str(error).rstrip("."),
        ) from error
    if isinstance(info, CheckpointInfo) and info.labels and len(info.labels) != info.config.output_size:
        raise CheckpointError(
            "Checkpoint {name} has {count} labels for {outputs} outputs.",
            name=name,
            count=len(info.labels),
            outputs=info.config.output_size,
        )
    return info


def _described(name: str, raw: dict[str, Any]) -> CheckpointInfo | TranslatorInfo:
    common: dict[str, Any] = {
        "name": name,
        "title": str(raw["title"]),
        "family": str(raw["family"]),
        "labels": tuple(raw["labels"]),
        "figures": {key: _number(key, value) for key, value in raw["figures"].items()},
        "restricted": bool(raw["restricted"]),
        "sha256": dict(raw["sha256"]),
        "details": _details(dict(raw["details"])),
        "base": Base(**raw["base"]) if "base" in raw else None,
    }
    if raw["model"]["task"] == "translation":
        return TranslatorInfo(config=TranslationConfig.from_dict(raw["model"]), **common)
    return CheckpointInfo(config=ModelConfig.from_dict(raw["model"]), **common)


def _details(details: dict[str, Any]) -> dict[str, Any]:
    """The same, once what is counted with is a number and what is looked up in is a table."""
    for name in ("num_parameters", "training_seconds"):
        _number(name, details.get(name, 0))
    if not isinstance(details.get("data", {}), dict):
        raise TypeError("data is not a table")
    return details


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; it must be a number")
    return float(value)


def verified_files(info: Description, root: Path | None = None) -> tuple[tuple[Path, ...], Path]:
    """The paths of the weights and of the tokenizer, their contents checked against the hashes.

    Returns:
        the weights' files, each laid over the one before it: the base's, if there is one, then the checkpoint's own.

    Raises:
        CheckpointError: a file is missing or differs from what was written, or the base is missing or another one.
    """
    root = root or checkpoints_root()
    if info.base is None:
        return (_verified(info, WEIGHTS, root),), _verified(info, TOKENIZER, root)
    own = _verified(info, WEIGHTS, root)
    weights, tokenizer = verified_files(base_of(info, root), root)
    return (*weights, own), tokenizer


def base_of(info: Description, root: Path | None = None) -> Description:
    """What a fine-tuned checkpoint started from.

    Raises:
        CheckpointError: it is missing or unreadable, has other weights now, or is itself fine-tuned.
    """
    if info.base is None:
        raise InvalidInputError("{name} was not fine-tuned: it has no base.", name=info.name)
    try:
        base = read_any(info.base.name, root)
    except SeqvizError as error:
        raise CheckpointError(
            "Checkpoint {name} holds only what differs from {base}, which is missing or cannot be read.",
            name=info.name,
            base=info.base.name,
        ) from error
    if base.base is not None or base.sha256.get(WEIGHTS) != info.base.weights:
        raise CheckpointError(
            "Checkpoint {name} was fine-tuned from other weights than those that {base} has now; train it again.",
            name=info.name,
            base=info.base.name,
        )
    return base


def _verified(info: Description, file: str, root: Path) -> Path:
    path = _folder(info.name, root) / file
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise CheckpointError("Checkpoint {name}: {file} is missing.", name=info.name, file=file) from error
    except OSError as error:
        raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=info.name, file=file) from error
    if digest != info.sha256.get(file):
        raise CheckpointError(
            "Checkpoint {name}: {file} is damaged (its SHA-256 is not the one in {config}).",
            name=info.name,
            file=file,
            config=CONFIG,
        )
    return path


def fingerprint(name: str, root: Path | None = None) -> str:
    """The SHA-256 of ``config.json``, which holds the hashes of weights and tokenizer: changes whenever they do.

    Raises:
        UnknownNameError: there is no such folder.
        CheckpointError: its ``config.json`` cannot be read.
    """
    from seqviz import own_models  # it describes its models with the classes of this module

    if own_models.is_own(name):
        return own_models.own_fingerprint(name)
    try:
        return hashlib.sha256((_folder(name, root or checkpoints_root()) / CONFIG).read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=CONFIG) from error


def read_card(name: str, root: Path | None = None) -> str:
    """The model card, as Markdown; empty if there is none.

    Raises:
        UnknownNameError: there is no such folder.
        CheckpointError: the card cannot be read.
    """
    path = _folder(name, root or checkpoints_root()) / CARD
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=CARD) from error


def write_checkpoint(
    name: str,
    *,
    description: dict[str, Any],
    weights: bytes,
    tokenizer: str | None,
    card: str,
    root: Path | None = None,
) -> Path:
    """Writes a checkpoint in one piece: into a temporary folder that then takes the place of the old one.

    Args:
        name: small letters, digits and hyphens.
        description: the fields of ``Description`` but name and sha256; ``model`` is the configuration as a dict, and so
            is ``base``, which only a fine-tuned checkpoint has.
        weights: the content of ``model.safetensors``.
        tokenizer: the content of ``tokenizer.json``; None for a fine-tuned checkpoint, which has its base's.
        card: the content of ``README.md``.

    Raises:
        WriteError: the folder cannot be written.
    """
    root = root or checkpoints_root()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise InvalidInputError("Checkpoint name {name!r}: allowed are small letters, digits and hyphens.", name=name)
    contents = {WEIGHTS: weights, **({} if tokenizer is None else {TOKENIZER: tokenizer.encode("utf-8")})}
    hashes = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    config = {"format": FORMAT, "format_version": FORMAT_VERSION, **description, "sha256": hashes}
    contents[CARD] = card.encode("utf-8")
    contents[CONFIG] = (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    with writing(root / name):
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".writing-") as temporary:
            fresh = Path(temporary) / name
            fresh.mkdir()
            for file, content in contents.items():
                (fresh / file).write_bytes(content)
            if (root / name).exists():
                (root / name).replace(Path(temporary) / "old")
            fresh.replace(root / name)
    return root / name


_SOUND = r"[A-Za-z0-9][\w.-]*"
"""Names that a folder of a checkpoint may have."""


def _folder(name: str, root: Path) -> Path:
    try:
        if re.fullmatch(_SOUND, name) and (root / name).is_dir():
            return root / name
    except OSError as error:  # a folder that may not be looked into, a name that is too long
        raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=CONFIG) from error
    # Something is wrong: what there is instead, and what may be meant.
    folders = {folder.name: folder for folder in subfolders(root)}
    sound = {known: f for known, f in folders.items() if re.fullmatch(_SOUND, known)}
    if name in folders and name not in sound:
        raise CheckpointError(
            "Checkpoint {name!r}: the name of its folder may hold letters, digits, hyphens, dots and underscores only.",
            name=name,
        )
    if not sound:
        raise UnknownNameError("There is no model {value!r}; the folder {folder} has none.", value=name, folder=root)
    if name not in sound:
        raise unknown_name("Model", name, sound)
    return sound[name]
