"""The room that is kept for a picture."""

from __future__ import annotations

import pytest

from app.ui.place import heights, table_height
from seqviz.charts.figure import Figure, Module
from tests.app.conftest import Opened


def _figure(module: Module, width: int, height: int, payload: dict[str, object]) -> Figure:
    return Figure(svg="<svg/>", payload=payload, alt="", width=width, height=height, title="", module=module)


# The numbers of the modules: figure.js, gate_cell.js and so on, each in ``resize``.
@pytest.mark.parametrize(
    ("figure", "first", "wide", "narrow"),
    [
        (
            _figure("figure", 2000, 400, {"roomWidth": 1200, "fontSize": 14, "small": 12}),
            390,
            "calc(50px + clamp(340px,33.3cqw,640px))",
            "calc(78px + clamp(340px,33.3cqw,640px))",
        ),
        (
            _figure("figure", 1000, 400, {"roomWidth": 1080, "fontSize": 18, "small": 20}),
            370,
            "calc(50px + clamp(320px,40.0cqw,540px))",
            "calc(78px + clamp(320px,40.0cqw,540px))",
        ),
        (
            _figure("gate_maps", 1120, 1000, {"room": 1120, "fontSize": 14}),
            720,
            "calc(0px + clamp(720px,89.3cqw,1450px))",
            "calc(0px + clamp(720px,89.3cqw,1450px))",
        ),
        (
            _figure("search_tree", 970, 500, {"width": 970.0, "fontSize": 14, "small": 12.5}),
            475,
            "calc(50px + clamp(425px,51.5cqw,700px))",
            "calc(78px + clamp(425px,51.5cqw,700px))",
        ),
        (_figure("projection", 900, 400, {"fontSize": 14}), 238, "calc(38px + clamp(200px,44.4cqw,400px))", "266px"),
    ],
    ids=["figure", "presenter", "maps", "tree", "live"],
)
def test_the_room_follows_the_scale_of_the_module(figure: Figure, first: float, wide: str, narrow: str) -> None:
    assert heights(figure) == (pytest.approx(first), wide, narrow)


@pytest.mark.parametrize(("rows", "height"), [(0, 37), (3, 142), (10, 387), (40, 387)])
def test_a_table_is_as_high_as_the_rows_that_are_seen(rows: int, height: int) -> None:
    assert table_height(rows) == height


def test_a_page_sends_the_room_with_the_picture(opened: Opened) -> None:
    app = opened()
    styles = [element.proto.body for element in app.get("html")]
    assert any(".st-key-unroll-figure-place{container-type:inline-size}" in style for style in styles)
    assert any(".st-key-unroll-figure{height:auto!important;" in style for style in styles)
