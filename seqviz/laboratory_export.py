"""What the laboratory found as JSON or CSV; norms and singular values as logarithms to base 10.

An exact zero is ``-inf`` (in JSON a string, which has no infinity), what is not known is null or empty.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from seqviz.laboratory import CellCurves, Spectra


def laboratory_json(curves: Sequence[CellCurves], spectra: Sequence[Spectra]) -> str:
    """Configurations, curves and spectra; arrays as nested lists in the axis order of ``seqviz.laboratory``."""
    content = {
        "format": "seqviz-laboratory",
        "format_version": 1,
        "curves": [
            {
                "config": one.config.to_dict(),
                "log10_hidden_state": _plain(one.hidden_state),
                "log10_cell_state": None if one.cell_state is None else _plain(one.cell_state),
                "overflow_steps": list(one.overflow_steps),
                "sigma_max": one.sigma_max.tolist(),
                "log10_bound": None if one.log_bound is None else _plain(one.log_bound),
            }
            for one in curves
        ],
        "spectra": [
            {
                "kind": one.kind,
                "part": one.part,
                "places": one.places.tolist(),
                "pieces": list(one.pieces),
                "log10_singular_values": _plain(one.log_values),
                "log10_resolution": _plain(one.resolution),
                "log10_bound": None if one.log_bound is None else _plain(one.log_bound),
            }
            for one in spectra
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def laboratory_csv(curves: Sequence[CellCurves], spectra: Sequence[Spectra]) -> str:
    """Rows: what, cell or part, seed or rank, steps back or place, log10 value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("what", "of", "seed_or_rank", "step", "log10"))
    for row in _rows(curves, spectra):
        writer.writerow(row)
    return buffer.getvalue()


def _rows(curves: Iterable[CellCurves], spectra: Iterable[Spectra]) -> Iterator[tuple[str, str, int, int, str]]:
    for one in curves:
        for quantity in ("hidden_state", "cell_state"):
            logs = one.log_norms(quantity)
            for seed, row in enumerate(() if logs is None else logs, 1):
                for back, value in enumerate(row):
                    yield f"gradient_norm_{quantity}", one.cell, seed, back, _text(float(value))
    for found in spectra:
        for place, row in zip(found.places, found.log_values, strict=True):
            for rank, value in enumerate(row, 1):
                yield f"singular_value_{found.kind}", found.part, rank, int(place), _text(float(value))


def _text(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def _plain(values: Any) -> Any:
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, list):
        return [_plain(value) for value in values]
    if math.isnan(values):
        return None
    return values if math.isfinite(values) else str(values)
