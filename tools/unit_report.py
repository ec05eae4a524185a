"""``python -m tools.unit_report MODEL < TEXT``: which units track what, as in docs/views/units.md."""

from __future__ import annotations

import sys

from seqviz.analysis.properties import properties_of
from seqviz.analysis.tracking import track
from seqviz.api import load
from seqviz.charts.properties import property_name
from seqviz.errors import TextTooLongError
from seqviz.tracing.long_trace import LongTrace


def main(model: str, text: str) -> int:
    """Reads at most 20,000 pieces and prints the best unit of every property."""
    loaded = load(model)
    try:
        long = LongTrace(loaded, text)
    except TextTooLongError as error:
        long = LongTrace(loaded, text[: int(str(error.parameters["end"]))])
    while not long.advance(seconds=10.0).finished:
        pass
    quantity = "cell_state" if "cell_state" in long.shapes[0].quantities else "hidden_state"
    found = track(long.layers(quantity), properties_of(long.text()), quantity=quantity)
    print(f"{model}, {quantity}, {len(long.text()):,} pieces, {found.num_units} units\n")
    print("| property | unit | r, held out | AUC | by chance | pieces |")
    print("|-|-|-|-|-|-|")
    for one in found.tracked:
        best = one.best[0]
        area = f"{best.auc:.2f}" if one.binary else ""
        cells = (property_name(one.property), best.place, f"{best.held_out:+.2f}", area, f"{one.chance:.2f}")
        print(f"| {' | '.join(map(str, cells))} | {one.positives} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.stdin.read()))
