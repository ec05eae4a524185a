"""What flows through one unit's cell at every step: each number of the textbook figure, with the sentence behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from seqviz.charts.notation import Notation, quantity_name
from seqviz.charts.writing import Place, activation_symbol, recurrent_memory
from seqviz.gates import UnitCourse
from seqviz.i18n import Translator
from seqviz.traces import LayerTrace
from seqviz.types import FloatArray

Kind = Literal["share", "signed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One line of the figure.

    Args:
        values: of every step, (step,).
        kind: a share between 0 and 1, or a signed number.
        limit: magnitude of the widest line and the strongest colour.
        symbol: how the notation writes it, plain text.
        name: in words.
        arithmetic: the equation with ``{signal}`` in place of numbers.
    """

    values: FloatArray
    kind: Kind
    limit: float
    symbol: str
    name: str
    arithmetic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """All numbers of a unit's cell by name, and the symbols that label the figure."""

    by_name: dict[str, Signal]
    extra: dict[str, FloatArray]
    place: Place

    def __getitem__(self, name: str) -> Signal:
        return self.by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self.by_name


def cell_signals(part: LayerTrace, course: UnitCourse, *, notation: Notation, t: Translator) -> Signals:
    """The numbers of one unit.

    Args:
        part: the layer and direction of the unit.
        course: the unit, from the same run.
        notation, t: how it is written.
    """
    place = Place(notation=notation, cell=part.cell, backward=part.direction == "backward")
    writer = _Writer(part, course, place, t)
    if part.cell.startswith("rnn_"):
        writer.plain()
    elif part.cell.startswith("gru"):
        writer.gru()
    else:
        writer.lstm()
    return Signals(by_name=writer.found, extra=writer.extra, place=place)


class _Writer:
    def __init__(self, part: LayerTrace, course: UnitCourse, place: Place, t: Translator) -> None:
        self.part, self.course, self.place, self.t = part, course, place, t
        self.unit, self.cell = course.unit, part.cell
        before = [part.before(step) for step in range(len(part.hidden_state))]
        self.h_before = np.array([float(h[self.unit]) for h, _ in before])
        self.c_before = np.array([0.0 if c is None else float(c[self.unit]) for _, c in before])
        self.found: dict[str, Signal] = {}
        self.extra: dict[str, FloatArray] = {}

    def own(self, quantity: str) -> FloatArray:
        return self.part.quantities()[quantity][:, self.unit].astype(np.float64)

    def now(self, quantity: str) -> str:
        return self.place.now(quantity).text

    def add(
        self, name: str, values: FloatArray, symbol: str, words: str, arithmetic: str, *, share: bool = False
    ) -> None:
        kind: Kind = "share" if share else "signed"
        self.found[name] = Signal(
            values=values, kind=kind, limit=1.0, symbol=symbol, name=words, arithmetic=f"{symbol} = {arithmetic}"
        )

    def same_scale(self, *names: str, least: float = 0.0) -> None:
        """One limit for all of them: their largest magnitude."""
        present = [name for name in names if name in self.found]
        limit = max([least, *(float(np.abs(self.found[name].values).max()) for name in present)]) or 1.0
        for name in present:
            self.found[name] = replace(self.found[name], limit=limit)

    def block(self, block: str, shown: str, quantity: str | None = None, *, one_minus: bool = False) -> None:
        """A block's sum and what its activation makes of it."""
        t = self.t
        quantity = quantity or block
        index = self.part.block_names.index(block)
        total, symbol = self.part.pre_activation[:, index, self.unit].astype(np.float64), self.now(quantity)
        parts = self.course.parts[block]
        labels = {
            "input": self.place.input().text,
            "hidden": self.place.before(self.memory()).text,
            "peephole": (self.now if block == "output_gate" else lambda q: self.place.before(q).text)("cell_state"),
            "bias": "b",
        }
        terms = []
        for kind, values in parts.items():
            self.extra[f"{shown}.{kind}"] = values
            terms.append(f"{{{shown}.{kind}}} ({labels[kind]})")
        self.add(
            f"z.{shown}",
            total,
            t("sum before {symbol}").format(symbol=symbol),
            t("sum before the activation"),
            " + ".join(terms) + f" = {{z.{shown}}}",
        )
        activation = activation_symbol(self.cell, block)
        values = self.own(quantity if quantity in self.part.quantities() else block)
        inner = f"{activation}({{z.{shown}}})" if activation else f"{{z.{shown}}}"
        self.add(
            shown,
            1.0 - values if one_minus else values,
            symbol,
            t("write gate") if quantity == "write_gate" else quantity_name(quantity, t),
            f"1 − {inner} = {{{shown}}}" if one_minus else f"{inner} = {{{shown}}}",
            share=quantity.endswith("gate"),
        )

    def memory(self) -> str:
        return recurrent_memory(self.place) if self.cell.startswith("gru") else "hidden_state"

    def state_before(self, name: str, values: FloatArray, quantity: str) -> None:
        words = self.t("{quantity} of the step before").format(quantity=quantity_name(quantity, self.t))
        self.add(name, values, self.place.before(quantity).text, words, f"{{{name}}}")

    def plain(self) -> None:
        t = self.t
        self.state_before("h_before", self.h_before, "hidden_state")
        self.block("candidate", "h", "hidden_state")
        parts = self.course.parts["candidate"]
        self.add("from_x", parts["input"] + parts["bias"], "W x + b", t("what the input brings"), "{from_x}")
        self.add("from_h", parts["hidden"], "W h", t("what the old state brings"), "{from_h}")
        self.found["h"] = replace(self.found["h"], kind="signed")
        self.same_scale("h", "h_before")
        self.same_scale("z.h", "from_x", "from_h", least=1.0)

    def gru(self) -> None:
        t, memory = self.t, self.memory()
        ng = self.place.notation == "ng"
        self.state_before("h_before", self.h_before, memory)
        if "reset_gate" in self.part.gates:
            self.block("reset_gate", "r")
        self.block("update_gate", "u", "write_gate" if ng else "update_gate", one_minus=ng)
        self.block("candidate", "g")
        keep, candidate = self.own("update_gate"), self.own("candidate")
        gate, old, new = (
            self.now("write_gate" if ng else "update_gate"),
            self.found["h_before"].symbol,
            self.now("candidate"),
        )
        rest = f"1−{gate}"
        keeps, writes = (rest, gate) if ng else (gate, rest)
        self.add("rest", keep if ng else 1.0 - keep, rest, t("the rest"), "1 − {u} = {rest}", share=True)
        keep_name, write_name = ("rest", "u") if ng else ("u", "rest")
        self.add(
            "kept",
            keep * self.h_before,
            f"{keeps} · {old}",
            t("what is kept"),
            f"{{{keep_name}}} · {{h_before}} = {{kept}}",
        )
        self.add(
            "written", (1.0 - keep) * candidate, f"{writes} · {new}", t("what is written"),
            f"{{{write_name}}} · {{g}} = {{written}}",
        )  # fmt: skip
        self.add("h", self.own("hidden_state"), self.now(memory), quantity_name(memory, t), "{kept} + {written} = {h}")
        parts = self.course.parts["candidate"]
        self.add("from_x", parts["input"] + parts["bias"], "W x + b", t("what the input brings"), "{from_x}")
        self._reset_way(parts["hidden"])
        self.same_scale("z.r", "z.u", "z.g", "from_x", "from_h", "recurrent", least=1.0)

    def _reset_way(self, hidden: FloatArray) -> None:
        t, old = self.t, self.found["h_before"].symbol
        if self.cell == "gru" and self.course.recurrent is not None:
            self.add(
                "recurrent", self.course.recurrent, f"W {old} + b", t("what the old state would bring"), "{recurrent}"
            )
            gate = self.now("reset_gate")
            self.add(
                "from_h", hidden, f"{gate} · (W {old} + b)", t("what the reset gate lets through"),
                "{r} · {recurrent} = {from_h}",
            )  # fmt: skip
        elif self.cell == "gru_reset_before":
            reset = self.own("reset_gate") * self.h_before
            gate = self.now("reset_gate")
            self.add(
                "reset", reset, f"{gate} · {old}", t("what the reset gate lets through"), "{r} · {h_before} = {reset}"
            )
            self.add("from_h", hidden, f"W ({gate} ⊙ {old})", t("the sum over all units"), "{from_h}")

    def lstm(self) -> None:
        t = self.t
        self.state_before("h_before", self.h_before, "hidden_state")
        self.state_before("c_before", self.c_before, "cell_state")
        for block, shown in (("forget_gate", "f"), ("input_gate", "i"), ("candidate", "g"), ("output_gate", "o")):
            self.block(block, shown)
        f, i, g = (self.own(name) for name in ("forget_gate", "input_gate", "candidate"))
        names = {name: self.found[name].symbol for name in ("f", "i", "g", "o", "c_before")}
        self.add(
            "kept",
            f * self.c_before,
            f"{names['f']} · {names['c_before']}",
            t("what is kept"),
            "{f} · {c_before} = {kept}",
        )
        self.add("written", i * g, f"{names['i']} · {names['g']}", t("what is written"), "{i} · {g} = {written}")
        self.add(
            "c",
            self.own("cell_state"),
            self.now("cell_state"),
            quantity_name("cell_state", t),
            "{kept} + {written} = {c}",
        )
        shown = "c"
        if self.cell != "lstm_linear_output":
            shown = "squashed"
            squashed = np.tanh(self.own("cell_state"))
            self.add(
                "squashed",
                squashed,
                f"tanh({self.now('cell_state')})",
                t("the cell state, squashed"),
                "tanh({c}) = {squashed}",
            )
        self.add(
            "h", self.own("hidden_state"), self.now("hidden_state"), quantity_name("hidden_state", t),
            f"{{o}} · {{{shown}}} = {{h}}",
        )  # fmt: skip
        self.same_scale("c", "c_before", "kept", "written", least=1.0)
        self.same_scale("h", "h_before", least=1.0)
        self.same_scale("z.f", "z.i", "z.g", "z.o", least=1.0)
