"""The vanishing/exploding laboratory: what is asked and what was found, without torch (syllabus B4, B6, G5).

Norms and singular values are logarithms to base 10, because at 1,000 steps they leave the range of every number type:
-inf is an exact zero, nan is "not known" (a step that was not run, a singular value below the resolution).
Steps back are counted from the step at which the error enters: row k of an array is k steps before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from seqviz.config import FromDict, check_range
from seqviz.errors import InvalidInputError, unknown_name
from seqviz.traces import freeze
from seqviz.types import FloatArray, IntArray

CELLS = ("rnn", "gru", "lstm")
ACTIVATIONS = ("logistic", "tanh", "relu", "leaky_relu", "elu", "identity")
STARTS = ("gaussian", "orthogonal", "identity")
MAX_SLOPES: Mapping[str, float] = MappingProxyType({name: 0.25 if name == "logistic" else 1.0 for name in ACTIVATIONS})
"""Greatest slope g'(z) of each activation (syllabus B6)."""

RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "radius": (0.0, 5.0),
        "hidden_size": (8, 256),
        "steps": (1, 1000),
        "num_seeds": (1, 10),
        "forget_bias": (-10.0, 10.0),
        "input_scale": (0.0, 5.0),
    }
)
FLOAT32_FLOOR = -45.0 + np.log10(1.401298464324817)
"""log10 of the smallest number above 0 in float32, 2^-149."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryConfig(FromDict):
    """Freshly initialised cells that read noise, and an error that goes back through them.

    Every recurrent matrix, one for each gate and candidate, is ``radius`` times a matrix of spectral radius 1, so that
    ``radius`` is the spectral radius of W_aa exactly, whatever the start:

    - gaussian: independent normal entries, divided by the spectral radius of the draw (its σ_max is about 2 radii);
    - orthogonal: a random rotation (Saxe et al. 2014); all singular values are ``radius``;
    - identity: 1 on the diagonal (Le et al. 2015); likewise.

    The input matrix has normal entries of variance 1/units and reads normal x_t of standard deviation ``input_scale``;
    biases are 0 but for the forget gate's. Cells of one seed read the same x_t and share the candidate's matrices.
    The error is a random direction of norm 1, ∂L/∂h at the last step.

    Args:
        cells: of ``CELLS``; the GRU has its reset gate behind the product, as torch.nn.GRU.
        activation: of the plain RNN, of ``ACTIVATIONS``; GRU and LSTM have their own.
        start: initialisation of the recurrent matrices, of ``STARTS``.
        radius: spectral radius of every recurrent matrix, 0 to 5.
        hidden_size: units, 8 to 256.
        steps: steps that the error goes back, 1 to 1,000; the sequence is one longer.
        num_seeds: seeds 1, 2, ... that are drawn, 1 to 10.
        forget_bias: bias of the LSTM's forget gate, -10 to 10 (Gers et al. 2000; Jozefowicz et al. 2015: 1).
        input_scale: standard deviation of the inputs, 0 to 5.
    """

    cells: tuple[str, ...] = CELLS
    activation: str = "tanh"
    start: str = "gaussian"
    radius: float = 0.9
    hidden_size: int = 64
    steps: int = 100
    num_seeds: int = 5
    forget_bias: float = 1.0
    input_scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.cells:
            raise InvalidInputError("There is no cell to look at: choose at least one.")
        for cell in self.cells:
            if cell not in CELLS:
                raise unknown_name("cell", cell, CELLS)
        for field, known in (("activation", ACTIVATIONS), ("start", STARTS)):
            if getattr(self, field) not in known:
                raise unknown_name(field, getattr(self, field), known)
        for field, (low, high) in RANGES.items():
            check_range(field, getattr(self, field), low, high)

    def each(self) -> tuple[LaboratoryConfig, ...]:
        """One configuration a cell, with defaults in place of what does not concern it: equal ones are run once."""
        return tuple(
            replace(
                self,
                cells=(cell,),
                activation=self.activation if cell == "rnn" else "tanh",
                forget_bias=self.forget_bias if cell == "lstm" else 0.0,
            )
            for cell in self.cells
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCurves:
    """How the norm of an error changes on its way back through one kind of cell.

    Args:
        config: of this one cell.
        hidden_state: log10 ‖∂L/∂h‖ by steps back, (seed, steps + 1); row 0 is where the error enters.
        cell_state: log10 ‖∂L/∂c‖, (seed, steps + 1); None for cells without one.
        overflow_steps: step, counted from 1, at which a state of this seed left the range of float64, or 0. The error
            then enters at the step before it; the rest of the row is nan.
        sigma_max: greatest singular value of W_aa (of a gated cell: of its candidate's matrix), (seed,).
        log_bound: log10 of what a step can at most multiply the norm by, max g' · σ_max(W_aa), (seed,); only of the
            plain RNN, else None.
        seconds: what the run took in the worker.
    """

    config: LaboratoryConfig
    hidden_state: FloatArray
    cell_state: FloatArray | None
    overflow_steps: tuple[int, ...]
    sigma_max: FloatArray
    log_bound: FloatArray | None
    seconds: float

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def cell(self) -> str:
        """Which cell."""
        return self.config.cells[0]

    def log_norms(self, quantity: str = "hidden_state") -> FloatArray | None:
        """Of ``"hidden_state"`` or ``"cell_state"``, (seed, step)."""
        if quantity not in ("hidden_state", "cell_state"):
            raise unknown_name("quantity", quantity, ("hidden_state", "cell_state"))
        return self.hidden_state if quantity == "hidden_state" else self.cell_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectra:
    """Singular values of Jacobians ∂s_t/∂s_{t-1}, or of their products ∂s_T/∂s_{T-k}.

    Args:
        kind: ``"steps"`` or ``"products"``.
        part: ``"state"`` for the whole state, (h, c) in an LSTM; ``"cell_state"`` for ∂c_t/∂c_{t-1} with h_{t-1} held.
        places: steps t of the Jacobians, counted from 0, or lengths k of the products; ascending, (place,).
        log_values: log10 of the singular values, the greatest first, (place, component); -inf is an exact zero, nan
            is below the resolution.
        resolution: log10 of the value below which float64 arithmetic tells nothing, (place,).
        num_steps: steps of the sequence that were looked at; fewer than it has where the matrices are large.
        total_steps: steps of the sequence.
        log_bound: log10 (max g' · σ_max(W_aa)) of the plain RNN, else None.
        pieces: of the text, for trained models; else empty.
        overflow_step: as in ``CellCurves``.
        seconds: what the run took in the worker.
    """

    kind: str
    part: str
    places: IntArray
    log_values: FloatArray
    resolution: FloatArray
    num_steps: int
    total_steps: int
    log_bound: float | None
    pieces: tuple[str, ...] = ()
    overflow_step: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def hidden(self) -> IntArray:
        """Number of singular values below the resolution, (place,)."""
        return np.asarray(np.isnan(self.log_values).sum(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationCurves:
    """Activations g and their slopes g', on the same z.

    Args:
        z: (point,).
        values, slopes: by name of ``ACTIVATIONS``, (point,).
    """

    z: FloatArray
    values: Mapping[str, FloatArray]
    slopes: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        freeze(self)
