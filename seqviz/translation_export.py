"""Searches side by side, a pair step by step, and an error report as JSON and CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from seqviz.comparison import ComparedSearch
from seqviz.error_report import BLAMES, ErrorReport, JudgedPair
from seqviz.export import csv_text
from seqviz.translations import ForcedTranslation


def comparison_json(rows: Sequence[ComparedSearch], *, source: str, references: Sequence[str], alpha: float) -> str:
    """Every search with its settings and its BLEU table."""
    content = {
        "format": "seqviz-comparison",
        "format_version": 1,
        "source": source,
        "references": list(references),
        "alpha": alpha,
        "searches": [
            _compared(row) | {"config": row.config.to_dict(), "others": row.others} | _bleu(row) for row in rows
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def comparison_csv(rows: Sequence[ComparedSearch]) -> str:
    """One search a row."""
    made = [_compared(row) for row in rows]
    return csv_text(made, tuple(made[0]) if made else ("search",))


def _compared(row: ComparedSearch) -> dict[str, Any]:
    return {
        "search": row.name,
        "text": row.text,
        "log_prob": _finite(row.log_prob),
        "score": _finite(row.score),
        "length": row.length,
        "bleu_lecture": None if row.table is None else 100 * row.table.score,
        "bleu_sacrebleu": None if row.bleu is None else row.bleu.score,
        "seconds": row.seconds,
        "model_calls": row.model_calls,
        "expansions": row.expansions,
        "candidates_scored": row.candidates_scored,
        "proven": row.proven,
        "upper_bound": _finite(row.upper_bound),
    }


def _bleu(row: ComparedSearch) -> dict[str, Any]:
    return {
        "table": None if row.table is None else asdict(row.table),
        "signature": None if row.bleu is None else row.bleu.signature,
    }


def pair_csv(human: ForcedTranslation, output: ForcedTranslation) -> str:
    """Every piece of both translations as a row: which, step, piece, log p, rank, running sum."""
    rows = []
    for name, forced in (("reference", human), ("output", output)):
        total = 0.0
        for step, piece in enumerate(forced.target.pieces):
            total += float(forced.log_probs[step])
            rows.append(
                {
                    "translation": name,
                    "step": step + 1,
                    "piece": piece,
                    "log_prob": float(forced.log_probs[step]),
                    "rank": 1 + int(forced.ranks[step]),
                    "running_sum": total,
                }
            )
    return csv_text(rows, ("translation", "step", "piece", "log_prob", "rank", "running_sum"))


def pair_json(human: ForcedTranslation, output: ForcedTranslation, *, alpha: float, verdict: str) -> str:
    """Both translations with the most probable pieces of every step."""
    content = {
        "format": "seqviz-error-analysis",
        "format_version": 1,
        "model": human.model,
        "source": human.source.text,
        "alpha": alpha,
        "verdict": verdict,
        **{name: _forced(forced) for name, forced in (("reference", human), ("output", output))},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def _forced(forced: ForcedTranslation) -> dict[str, Any]:
    return {
        "text": forced.target.text,
        "pieces": list(forced.target.pieces),
        "log_probs": forced.log_probs.tolist(),
        "log_prob": forced.log_prob,
        "ranks": (forced.ranks + 1).tolist(),
        "candidates": [
            [[forced.names[int(token)], float(log_prob)] for token, log_prob in zip(tokens, log_probs, strict=True)]
            for tokens, log_probs in zip(forced.candidate_tokens, forced.candidate_log_probs, strict=True)
        ],
    }


def report_json(report: ErrorReport) -> str:
    """Every pair, the fractions, both corpus BLEUs with their signature."""
    narrow, wider = report.corpus_bleu() if report.judged else (None, None)
    content = {
        "format": "seqviz-error-report",
        "format_version": 1,
        "config": asdict(report.config),
        "total": report.total,
        "counts": {blame: report.count(blame) for blame in BLAMES},
        "wider": report.wider_counts(),
        "corpus_bleu": None if narrow is None else narrow.score,
        "corpus_bleu_wider": None if wider is None else wider.score,
        "signature": None if narrow is None else narrow.signature,
        "pairs": [_judged(pair) for pair in report.judged],
        "skipped": [
            {"number": one.number, "source": one.source, "reference": one.reference, "reason": str(one.error)}
            for one in report.skipped
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def report_csv(report: ErrorReport) -> str:
    """One pair a row."""
    rows = [_judged(pair) for pair in report.judged]
    return csv_text(rows, tuple(rows[0]) if rows else ("number",))


def _judged(pair: JudgedPair) -> dict[str, Any]:
    found: dict[str, Any] = {"number": pair.number, "source": pair.source, "due_to": pair.blame}
    for name, one in (("reference", pair.reference), ("output", pair.output), ("wider", pair.wider)):
        found |= {
            name: one.text,
            f"{name}_log_prob": one.log_prob,
            f"{name}_length": one.length,
            f"{name}_score": one.score,
        }
    return found | {"output_bleu": pair.output.bleu, "wider_bleu": pair.wider.bleu, "wider_is": pair.wider_is}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
