"""The registry of checkpoints: list, describe, verify, write. No torch here; ``seqviz.models.loading`` builds models.

A checkpoint is a folder ``checkpoints/<name>/`` with ``config.json`` (what it is, with the SHA-256 of the other files),
``model.safetensors``, ``tokenizer.json`` and ``README.md`` (the model card). Nothing in it is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqviz.config import ModelConfig, TranslationConfig
from seqviz.errors import CheckpointError, InvalidInputError, SeqvizError, unknown_name

FORMAT = "seqviz-checkpoint"
FORMAT_VERSION = 1
CONFIG, WEIGHTS, TOKENIZER, CARD = "config.json", "model.safetensors", "tokenizer.json", "README.md"


def checkpoints_root() -> Path:
    """The folder of the checkpoints: ``SEQVIZ_CHECKPOINTS``, or the one beside the package."""
    return Path(os.environ.get("SEQVIZ_CHECKPOINTS") or Path(__file__).resolve().parent.parent / "checkpoints")


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
    """

    name: str
    title: str
    family: str
    labels: tuple[str, ...]
    figures: dict[str, float]
    restricted: bool
    sha256: dict[str, str]
    details: dict[str, Any] = field(default_factory=dict)

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
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if not folder.is_dir() or folder.name.startswith("."):
            continue
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
    except (OSError, ValueError) as error:
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
            "Checkpoint {name}: {file} is incomplete or wrong: {reason}.", name=name, file=CONFIG, reason=error
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
        "figures": {key: float(value) for key, value in raw["figures"].items()},
        "restricted": bool(raw["restricted"]),
        "sha256": dict(raw["sha256"]),
        "details": dict(raw["details"]),
    }
    if raw["model"]["task"] == "translation":
        return TranslatorInfo(config=TranslationConfig.from_dict(raw["model"]), **common)
    return CheckpointInfo(config=ModelConfig.from_dict(raw["model"]), **common)


def verified_files(info: Description, root: Path | None = None) -> tuple[Path, Path]:
    """The paths of the weights and the tokenizer, their contents checked against the hashes.

    Raises:
        CheckpointError: a file is missing or differs from what was written.
    """
    folder = _folder(info.name, root or checkpoints_root())
    for file in (WEIGHTS, TOKENIZER):
        try:
            digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        except OSError as error:
            raise CheckpointError("Checkpoint {name}: {file} is missing.", name=info.name, file=file) from error
        if digest != info.sha256.get(file):
            raise CheckpointError(
                "Checkpoint {name}: {file} is damaged (its SHA-256 is not the one in {config}).",
                name=info.name,
                file=file,
                config=CONFIG,
            )
    return folder / WEIGHTS, folder / TOKENIZER


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
    """The model card, as Markdown; empty if there is none."""
    path = _folder(name, root or checkpoints_root()) / CARD
    return path.read_text(encoding="utf-8") if path.exists() else ""


def write_checkpoint(
    name: str, *, description: dict[str, Any], weights: bytes, tokenizer: str, card: str, root: Path | None = None
) -> Path:
    """Writes a checkpoint in one piece: into a temporary folder that then takes the place of the old one.

    Args:
        name: small letters, digits and hyphens.
        description: the fields of ``Description`` but name and sha256; ``model`` is the configuration as a dict.
        weights: the content of ``model.safetensors``.
        tokenizer: the content of ``tokenizer.json``.
        card: the content of ``README.md``.
    """
    root = root or checkpoints_root()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise InvalidInputError("Checkpoint name {name!r}: allowed are small letters, digits and hyphens.", name=name)
    root.mkdir(parents=True, exist_ok=True)
    contents = {WEIGHTS: weights, TOKENIZER: tokenizer.encode("utf-8"), CARD: card.encode("utf-8")}
    hashes = {file: hashlib.sha256(contents[file]).hexdigest() for file in (WEIGHTS, TOKENIZER)}
    config = {"format": FORMAT, "format_version": FORMAT_VERSION, **description, "sha256": hashes}
    contents[CONFIG] = (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    with tempfile.TemporaryDirectory(dir=root, prefix=".writing-") as temporary:
        fresh = Path(temporary) / name
        fresh.mkdir()
        for file, content in contents.items():
            (fresh / file).write_bytes(content)
        if (root / name).exists():
            (root / name).replace(Path(temporary) / "old")
        fresh.replace(root / name)
    return root / name


def _folder(name: str, root: Path) -> Path:
    folder = root / name
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or not folder.is_dir():
        known = [f.name for f in sorted(root.iterdir()) if f.is_dir() and f.name[0] != "."] if root.is_dir() else []
        raise unknown_name("Model", name, known)
    return folder
