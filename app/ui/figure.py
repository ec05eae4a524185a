"""The picture as a Streamlit component."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.ui.place import place, reserve
from app.ui.settings import page_theme
from seqviz.charts.figure import Figure, Module, figure_css, figure_js


def _made(module: Module) -> Any:
    """The component of one kind of figure."""
    return st.components.v2.component(
        f"seqviz_{module}", html='<div class="sv-root sv-mount">\n</div>', css=figure_css(), js=figure_js(module)
    )


_MODULES: tuple[Module, ...] = (
    "figure",
    "gate_cell",
    "gate_maps",
    "search_tree",
    "encoder_decoder",
    "attention_map",
    "saturation",
)
_components = {module: _made(module) for module in _MODULES}

# Hands the page's focus to the picture of the same key. A component of its own, because every change of its data
# sends it anew, code and all: this one has a few hundred bytes, the picture a few hundred kilobytes.
_focus_component = st.components.v2.component(
    "seqviz_focus",
    js="""
export default function ({ data }) {
  globalThis.seqvizFocus ??= new Map();
  globalThis.seqvizFocus.set(data.key, data.focus);
  globalThis.dispatchEvent(new CustomEvent('seqviz-focus', { detail: data }));
}
""",
)


_glimpse_component = st.components.v2.component(
    "seqviz_glimpse",
    html="<div></div>",
    js="""
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector('div');
  place.innerHTML = data.svg;
  Object.assign(place.firstElementChild.style, { display: 'block', width: '100%', height: 'auto' });
}
""",
)


def show_glimpse(figure: Figure, *, key: str) -> None:
    """Shows a small still picture, as wide as its place, in the colours of the page."""
    height = reserve(key, first=300 * figure.height / figure.width, css=f"aspect-ratio:{figure.width}/{figure.height}")
    _glimpse_component(data={"svg": figure.to_svg(theme=page_theme())}, key=key, height=height)


def show_figure(
    figure: Figure, *, key: str, focus: Mapping[str, Any] | None = None, peers: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Shows a figure.

    A rerun with the same figure leaves the picture as it is: scroll, focus and play go on. A changed ``focus`` moves
    the marks without drawing anew.

    Args:
        figure: the picture; draw it without the focus in its options, so that it stays the same while the focus moves.
        key: of the element; one for each place on a page.
        focus: step, layer, direction and unit to show, all from 0; None leaves it to the reader.
        peers: keys of pictures of the same page that follow this one's focus at once, without the server.

    Returns:
        Where the reader last clicked, stepped or played to, in the same form; None as long as nowhere.
    """
    with place(figure, key=key) as height:
        result = _components[figure.module](
            data={"svg": figure.svg, "payload": figure.payload, "key": key, "peers": list(peers)},
            key=key,
            height=height,
            on_focus_change=_nothing,
        )
        _focus_component(data={"key": key, "focus": None if focus is None else dict(focus)}, key=f"{key}-focus")
    value = result.focus
    return dict(value) if value else None


def show_search_tree(
    figure: Figure,
    *,
    key: str,
    alpha: float,
    on_alpha: Callable[[], None],
    on_prefix: Callable[[], None],
    step: int | None = None,
) -> None:
    """Shows a search tree.

    Args:
        figure: made by ``search_tree_figure``; draw it for α = 0, so that it stays the same while α moves.
        key: of the element; its state has ``alpha``, and ``prefix`` in the run of a click.
        alpha: of the length normalisation; a change moves the picture without drawing anew.
        on_alpha: called when the reader moved α.
        on_prefix: called when a hypothesis was clicked; ``st.session_state[key].prefix`` are its token ids.
        step: at which the picture opens, counted from 1; None for the whole search.
    """
    with place(figure, key=key) as height:
        _components["search_tree"](
            data={"svg": figure.svg, "payload": figure.payload, "key": key, "step": step},
            key=key,
            height=height,
            on_alpha_change=on_alpha,
            on_prefix_change=on_prefix,
        )
        _focus_component(data={"key": key, "focus": {"alpha": alpha}}, key=f"{key}-focus")


def show_saturation(
    figure: Figure,
    *,
    key: str,
    limits: tuple[float, float],
    on_limits: Callable[[], None],
    on_unit: Callable[[], None],
) -> None:
    """Shows the scatters of saturated gates.

    Args:
        figure: made by ``saturation_figure``; draw it for thresholds that stay, so that it stays the same while they
            move.
        key: of the element; its state has ``limits``, and ``unit`` in the run of a click.
        limits: both thresholds; a change moves the dots without drawing anew.
        on_limits: called when the reader has dragged a threshold; ``st.session_state[key].limits`` has both.
        on_unit: called when a dot was clicked; ``st.session_state[key].unit`` has its run, gate and place.
    """
    with place(figure, key=key) as height:
        _components["saturation"](
            data={"svg": figure.svg, "payload": figure.payload, "key": key},
            key=key,
            height=height,
            on_limits_change=on_limits,
            on_unit_change=on_unit,
        )
        _focus_component(data={"key": key, "focus": {"left": limits[0], "right": limits[1]}}, key=f"{key}-focus")


def _nothing() -> None:
    """The page reads the state; Streamlit wants a callback for it to exist."""
