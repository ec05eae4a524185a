"""Which installed translation models may be compared: fine-tuned from one base and different in one thing only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqviz.checkpoints import TranslatorInfo
from seqviz.config import SCORE_NAMES, TranslationConfig


def attention_twins(models: Mapping[str, TranslatorInfo], name: str) -> list[TranslatorInfo]:
    """The model, and the one of its family that differs in having attention or not; the one with attention first."""
    own = models[name]
    others = [
        info
        for info in sorted(models.values(), key=lambda info: info.base is not None)
        if info.family == own.family
        and (info.config.score == "none") != (own.config.score == "none")
        and (info.config.cell, info.config.decoder_layers) == (own.config.cell, own.config.decoder_layers)
    ]
    return sorted([own, *others[:1]], key=lambda info: info.config.score == "none")


def fine_tuned(models: Mapping[str, TranslatorInfo], name: str) -> tuple[TranslatorInfo | None, list[TranslatorInfo]]:
    """The base of a model's family and what was fine-tuned from it, by name; None and nothing where there is no such.

    Args:
        models: the installed ones by name.
        name: one of the family.
    """
    tuned = [info for info in models.values() if info.family == models[name].family and info.base is not None]
    bases = [models[info.base.name] for info in tuned if info.base is not None and info.base.name in models]
    if not bases:
        return None, []
    base = bases[0]
    return base, sorted(
        (info for info in tuned if info.base is not None and info.base.name == base.name), key=lambda info: info.name
    )


def regularised(models: Mapping[str, TranslatorInfo], name: str) -> list[TranslatorInfo]:
    """The models that show what the regulariser does (syllabus A4), the regularised one last; nothing without one.

    Before it stand the base and, if there is one, the control: fine-tuned alike without the regulariser.
    """
    base, tuned = fine_tuned(models, name)
    with_it = next((info for info in tuned if penalty(info)), None)
    if base is None or with_it is None:
        return []
    alike = [info for info in tuned if not penalty(info) and _alike(info) == _alike(with_it)]
    return [base, *alike[:1], with_it]


def score_twins(models: Mapping[str, TranslatorInfo], name: str) -> list[TranslatorInfo]:
    """The base and its twins with other score functions (syllabus A2), the base first; nothing without twins."""
    base, tuned = fine_tuned(models, name)
    if base is None:
        return []
    others = [info for info in tuned if info.config.score != base.config.score]
    others.sort(key=lambda info: SCORE_NAMES.index(info.config.score))
    return [base, *others] if others else []


def penalty(info: TranslatorInfo) -> float:
    """λ of the regulariser that a model was trained with; 0 for none."""
    return float(_train(info).get("attention_penalty", 0.0))


def target(info: TranslatorInfo) -> float:
    """τ of the regulariser that a model was trained with; 1 where it was not."""
    return float(_train(info).get("attention_target", 1.0)) if penalty(info) else 1.0


def score_parameters(config: TranslationConfig) -> int:
    """How many weights and biases the score function of a model has (``seqviz.models.attention``)."""
    query, value, size = config.decoder_size, 2 * config.encoder_size, config.attention_size
    return {
        "additive": size * (query + value) + 2 * size,
        "scaled_dot": size * (query + value),
        "bilinear": query * value,
        "cosine": size * (query + value) + 1,
    }.get(config.score, 0)


def _train(info: TranslatorInfo) -> dict[str, Any]:
    found = info.details.get("train")
    return found if isinstance(found, dict) else {}


def _alike(info: TranslatorInfo) -> tuple[Any, Any]:
    """What a control has in common with the model that it controls: its architecture, and the parameters trained."""
    start = info.details.get("start")
    return info.config, start.get("train") if isinstance(start, dict) else None
