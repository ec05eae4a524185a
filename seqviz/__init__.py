"""seqviz: see a recurrent model think.

    import seqviz
    trace = seqviz.trace("shakespeare-lstm", "To be, or not to be")
    trace.layer(0).gates["forget_gate"]     # (step, unit), read-only numpy
    seqviz.pictures.gates("shakespeare-lstm", "To be, or not to be")

The names below are loaded when they are first used, so that importing seqviz costs nothing and the app, which never
imports torch, may use the rest of the package.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "load": "seqviz.api",
    "trace": "seqviz.api",
    "backward": "seqviz.api",
    "unit_sum": "seqviz.api",
    "figure": "seqviz.api",
    "gradient_figure": "seqviz.api",
    "search_translation": "seqviz.api",
    "search_figure": "seqviz.api",
    "attention_weights": "seqviz.api",
    "compare_searches": "seqviz.search_reports",
    "judge_pairs": "seqviz.search_reports",
    "LoadedModel": "seqviz.models.loading",
    "search": "seqviz.decoding",
    "SearchTrace": "seqviz.decoding",
    "DecodeConfig": "seqviz.config",
    "RecurrentTrace": "seqviz.traces",
    "LayerTrace": "seqviz.traces",
    "UnitSum": "seqviz.traces",
    "BackwardTrace": "seqviz.gradients",
    "SeqvizError": "seqviz.errors",
    "list_checkpoints": "seqviz.checkpoints",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 (names resolved by __getattr__)


def __getattr__(name: str) -> Any:
    if name == "pictures":
        return importlib.import_module("seqviz.pictures")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'seqviz' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
