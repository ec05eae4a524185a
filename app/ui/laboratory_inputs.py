"""The inputs of the laboratory: which cells, how they start, how far the error goes. All of them stand in the URL."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.ui.backend import show_error
from app.ui.url import keep, take
from seqviz.charts.activations import activation_name
from seqviz.config import check_range
from seqviz.errors import InvalidInputError
from seqviz.i18n import Translator
from seqviz.laboratory import ACTIVATIONS, CELLS, RANGES, STARTS, LaboratoryConfig
from seqviz.laboratory_examples import MEMORY_DIFFERENCES, LaboratoryExample, laboratory_examples, memory_configs

MODES = ("fresh", "memory", "trained")
CELL_TITLES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
_FIELDS = {
    "radius": "radius",
    "back": "steps",
    "units": "hidden_size",
    "seeds": "num_seeds",
    "forget": "forget_bias",
    "inputs": "input_scale",
}
_DEFAULT = LaboratoryConfig()


def mode_input(t: Translator) -> str:
    """Draws the choice of what is looked at, and the examples of fresh cells."""
    left, right = st.columns([5, 2], vertical_alignment="bottom")
    take("lab", MODES, MODES[0])
    mode = left.segmented_control(
        t("What is looked at"),
        MODES,
        required=True,
        key="lab",
        label_visibility="collapsed",
        wrap=True,
        format_func=lambda name: {
            "fresh": t("Fresh cells"),
            "memory": t("Memory cell"),
            "trained": t("A trained model on my text"),
        }[name],
    )
    keep("lab", MODES[0])
    if mode != "trained":  # which has the examples of the other views
        with right.popover(t("Examples"), icon=":material/menu_book:", width="stretch"):
            for example in laboratory_examples(t):
                st.button(
                    example.title,
                    key=f"example-lab-{example.id}",
                    on_click=_take_example,
                    args=(example,),
                    type="tertiary",
                )
            st.button(
                t("Memory cell: a self-link of weight 1"),
                key="example-lab-memory",
                on_click=_take_memory,
                type="tertiary",
            )
    return mode or MODES[0]


def fresh_inputs(t: Translator) -> LaboratoryConfig:
    """Draws the choice of fresh cells.

    Raises:
        InvalidInputError: no cell is chosen.
    """
    _say_ranges(t)
    zero, one, two, three, four = st.columns([9, 9, 8, 11, 6], vertical_alignment="bottom")
    chosen = zero.pills(
        t("Cells"), list(CELL_TITLES.values()), selection_mode="multi", default=list(CELL_TITLES.values()),
        key="cell", bind="query-params",
    )  # fmt: skip
    take("activation", ACTIVATIONS, _DEFAULT.activation)
    activation = one.selectbox(
        t("Activation of the RNN"),
        ACTIVATIONS,
        key="activation",
        format_func=lambda name: activation_name(name, t),
    )
    keep("activation", _DEFAULT.activation)
    take("start", STARTS, _DEFAULT.start)
    start = two.selectbox(
        t("Start of W_aa"),
        STARTS,
        key="start",
        format_func=lambda name: {
            "gaussian": t("Gaussian"),
            "orthogonal": t("orthogonal"),
            "identity": t("identity"),
        }[name],
        help=t(
            "Each recurrent matrix is the spectral radius times: a Gaussian draw divided by its own spectral radius; a "
            "random rotation; or the identity."
        ),
    )
    keep("start", _DEFAULT.start)
    radius = three.slider(
        t("Spectral radius of W_aa"),
        0.0,
        5.0,
        _DEFAULT.radius,
        0.05,
        key="radius",
        bind="query-params",
        help=t("The largest magnitude of an eigenvalue, exactly, of every recurrent matrix of all cells."),
    )
    with four.popover(t("More"), icon=":material/tune:", width="stretch"):
        sizes = _size_inputs(t)
    cells = tuple(cell for cell in CELLS if CELL_TITLES[cell] in chosen)
    return replace(sizes, cells=cells, activation=activation, start=start, radius=float(radius))


def memory_inputs(t: Translator) -> tuple[LaboratoryConfig, ...]:
    """Draws the choice of the memory cells' weights."""
    left, right = st.columns(2, vertical_alignment="bottom")
    low, high = MEMORY_DIFFERENCES
    difference = left.slider(t("The other weights are 1 ∓"), low, high, 0.1, 0.01, key="apart", bind="query-params")
    steps = right.slider(t("Steps back"), 1, 1000, 100, key="back", bind="query-params")
    return memory_configs(float(difference), int(steps))


def _say_ranges(t: Translator) -> None:
    """A link's number that is outside its range is said, and the default taken."""
    for key, field in _FIELDS.items():
        text = st.query_params.get(key)
        if text is not None:
            try:
                number: object = float(text)
                if isinstance(RANGES[field][0], int) and float(text).is_integer():
                    number = int(float(text))
            except ValueError:
                number = text
            try:
                check_range(field, number, *RANGES[field])
            except InvalidInputError as error:
                show_error(error, t)


def _size_inputs(t: Translator) -> LaboratoryConfig:
    steps = st.slider(t("Steps back"), 1, 1000, _DEFAULT.steps, key="back", bind="query-params")
    units = st.slider(t("Hidden units"), 8, 256, _DEFAULT.hidden_size, 8, key="units", bind="query-params")
    seeds = st.slider(t("Seeds"), 1, 10, _DEFAULT.num_seeds, key="seeds", bind="query-params")
    forget = st.slider(
        t("Forget bias of the LSTM"), -10.0, 10.0, _DEFAULT.forget_bias, 0.5, key="forget", bind="query-params",
        help=t("0 starts with half-open gates; 1 is the usual advice (Jozefowicz et al. 2015)."),
    )  # fmt: skip
    inputs = st.slider(
        t("Scale of the inputs"), 0.0, 5.0, _DEFAULT.input_scale, 0.05, key="inputs", bind="query-params",
        help=t("Standard deviation of the noise that the cells read; at 0 every state stays 0 and no unit saturates."),
    )  # fmt: skip
    return LaboratoryConfig(
        steps=int(steps),
        hidden_size=int(units),
        num_seeds=int(seeds),
        forget_bias=float(forget),
        input_scale=float(inputs),
    )


def _take_memory() -> None:
    st.session_state["lab"] = "memory"


def _take_example(example: LaboratoryExample) -> None:
    st.session_state["lab"] = MODES[0]
    state, config = st.session_state, example.config
    state["cell"] = [CELL_TITLES[cell] for cell in config.cells]
    state["activation"], state["start"], state["radius"] = config.activation, config.start, config.radius
    state["back"], state["units"], state["seeds"] = config.steps, config.hidden_size, config.num_seeds
    state["forget"], state["inputs"] = config.forget_bias, config.input_scale
