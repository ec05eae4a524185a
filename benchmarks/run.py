"""``python -m benchmarks.run [names...]``: measures, prints, and writes the tables into docs/benchmarks.md."""

from __future__ import annotations

import importlib
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Table, machine

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
NAMES = (
    "trace_cost",
    "long_trace",
    "backward_cost",
    "laboratory_cost",
    "search_tree",
    "search_speed",
    "throughput",
    "rerun",
    "rerun_translate",
    "costs",
)


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all of them."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"{unknown[0]!r} is not a benchmark; there are: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    for name in names or NAMES:
        table: Table = importlib.import_module(f"benchmarks.{name}").measure()
        print(table.markdown())
        _write(name, table)
    return 0


def _write(name: str, table: Table) -> None:
    """Puts a section between its markers in the document."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    when = f"*Measured on {datetime.now(UTC):%Y-%m-%d}: {machine()}.*\n"
    text = DOCUMENT.read_text(encoding="utf-8")
    between = re.compile(rf"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    fresh = f"{begin}\n{table.markdown()}\n{when}{end}"
    written, places = between.subn(lambda _: fresh, text)
    if not places:
        raise SystemExit(f"{DOCUMENT.name} has no place for this table: it needs the lines {begin} and {end}.")
    DOCUMENT.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
