"""BLEU by the length of the source: the measured figures of a checkpoint, in ``bleu_by_length.json`` of its folder.

``seqviz bleu-by-length NAME --data FILE`` measures and writes them. No torch here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seqviz.checkpoints import WEIGHTS, checkpoints_root, read_any
from seqviz.errors import CheckpointError
from seqviz.files import write_atomically

FILE = "bleu_by_length.json"
FORMAT = "seqviz-bleu-by-length"
EDGES = (1, 5, 7, 9, 11, 13, 16, 20)
"""Where the bins begin, in words of the source as the encoder splits them for the eye; the last has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBin:
    """Sources of about one length.

    Args:
        first, last: words of the shortest and the longest; last is None for no end.
        mean: words on average.
        sources: how many.
        bleu: in percent, by sacrebleu.
        low_bleu, high_bleu: the middle 95 % of the bootstrap.
    """

    first: int
    last: int | None
    mean: float
    sources: int
    bleu: float
    low_bleu: float
    high_bleu: float

    @property
    def label(self) -> str:
        """``"5–6"``, ``"20+"``."""
        return f"{self.first}+" if self.last is None else f"{self.first}–{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBleu:
    """What was measured of a checkpoint.

    Args:
        model: name of the checkpoint.
        data: name of the file.
        beam_size: of the search.
        resamples, seed: of the bootstrap.
        signature: of sacrebleu.
        weights: SHA-256 of the weights that were measured.
        bins: from short to long; empty ones are left out.
    """

    model: str
    data: str
    beam_size: int
    resamples: int
    seed: int
    signature: str
    weights: str
    bins: tuple[LengthBin, ...]


def write_length_bleu(found: LengthBleu, root: Path | None = None) -> Path:
    """Writes the figures into the checkpoint's folder; returns the file."""
    path = (root or checkpoints_root()) / found.model / FILE
    content = {"format": FORMAT, "format_version": 1, **asdict(found)}
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))
    return path


def read_length_bleu(name: str, root: Path | None = None) -> LengthBleu | None:
    """The figures of a checkpoint; None if nobody has measured them, or only weights that it no longer has.

    Raises:
        CheckpointError: the file is not one of these.
    """
    path = (root or checkpoints_root()) / name / FILE
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=FILE) from error
    try:
        bins = tuple(LengthBin(**one) for one in raw.pop("bins"))
        if raw.pop("format") != FORMAT or raw.pop("format_version") != 1:
            raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=FILE)
        found = LengthBleu(**raw, bins=bins)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError("Checkpoint {name}: {file} cannot be read.", name=name, file=FILE) from error
    return found if found.weights == read_any(name, root).sha256.get(WEIGHTS) else None
