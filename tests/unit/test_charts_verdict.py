from __future__ import annotations

import json
import math

import numpy as np
import pytest
import vl_convert

from seqviz.charts.palette import COLOURS, category_colours
from seqviz.charts.verdict import (
    class_probability_alt,
    class_probability_chart,
    distribution_alt,
    distribution_chart,
    figures_sentence,
    step_figures,
    surprisal_alt,
    surprisal_chart,
)
from seqviz.errors import InvalidInputError
from seqviz.traces import NO_TARGET, RecurrentTrace

QUARTERS = np.log(np.array([[0.5, 0.25, 0.125, 0.125], [0.25, 0.25, 0.25, 0.25], [0.125, 0.125, 0.25, 0.5]]))


def run(task: str = "language_model", **changes: object) -> RecurrentTrace:
    values = {
        "model": "tiny",
        "task": task,
        "structure": "many_to_many",
        "text": "a b",
        "pieces": ("a", "<unk>", "b"),
        "originals": ("a", " ", "b"),
        "ids": np.array([0, 1, 2]),
        "fed_back": 3,
        "embeddings": np.zeros((3, 2), np.float32),
        "layers": (),
        "labels": ("a", " ", "b", "c"),
        "logits": QUARTERS,
        "targets": np.array([1, 2, NO_TARGET]),
        "seconds": 0.0,
        **changes,
    }
    return RecurrentTrace(**values)


def verdict(**changes: object) -> RecurrentTrace:
    values = {
        "structure": "many_to_one",
        "originals": ("not", "bad", "."),
        "labels": ("negative", "positive"),
        "logits": np.log(np.array([[0.8, 0.2], [0.3, 0.7], [0.25, 0.75]])),
        "targets": np.array([NO_TARGET, NO_TARGET, 1]),
        **changes,
    }
    return run("classification", **values)


def layers(chart: object) -> list[dict[str, object]]:
    return chart.to_dict()["layer"]


def data(chart: object, layer: int) -> list[dict[str, object]]:
    """The rows that a layer is drawn from."""
    spec = chart.to_dict()
    source = spec["layer"][layer].get("data") or spec["data"]  # data of all layers stand at the top
    return spec["datasets"][source["name"]]


def test_entropy_and_surprisal_are_measured_in_nats_and_bits():
    figures = step_figures(run(), 0)
    assert figures.entropy == pytest.approx(1.75 * math.log(2))
    assert figures.entropy_bits == pytest.approx(1.75)
    assert figures.surprisal_bits == pytest.approx(2.0)
    assert figures.rank == 2
    uniform = step_figures(run(), 1)
    assert (uniform.entropy_bits, uniform.rank) == (pytest.approx(2.0), 1)
    assert step_figures(run(), 2).surprisal is None


def test_a_certain_output_has_no_entropy():
    certain = run(logits=np.array([[0.0, -2000.0, -2000.0, -2000.0]] * 3))
    assert step_figures(certain, 0).entropy == 0.0


def test_the_caption_gives_both_units():
    assert figures_sentence(run(), 0) == "Entropy 1.21 nats (1.75 bits); surprisal 1.39 nats (2.00 bits)"
    assert figures_sentence(run(), 2) == "Entropy 1.21 nats (1.75 bits)"


def test_the_most_probable_tokens_come_first_and_the_next_one_is_marked():
    rows = data(distribution_chart(run(), step=0, count=3), 0)
    assert [(row["label"], row["probability"], row["target"]) for row in rows] == [
        ("a", pytest.approx(0.5), False),
        ("␣", pytest.approx(0.25), True),
        ("b", pytest.approx(0.125), False),
    ]
    assert [row["name"] for row in rows] == ["a  50.0 %", "▶ ␣  25.0 %", "b  12.5 %"]
    subtitle = distribution_chart(run(), step=0).to_dict()["title"]["subtitle"]
    assert subtitle == ["Entropy 1.21 nats (1.75 bits)", "surprisal 1.39 nats (2.00 bits)", "▶ comes next"]


def test_an_improbable_next_token_gets_a_bar_of_its_own_with_its_rank():
    rows = data(distribution_chart(run(targets=np.array([3, 2, -1])), step=0, count=2), 0)
    assert [row["name"] for row in rows] == ["a  50.0 %", "␣  25.0 %", "▶ c (#4)  12.5 %"]
    assert rows[-1]["target"]


def test_the_right_tag_is_marked_in_the_accent_colour():
    chart = distribution_chart(run("tagging", labels=("O", "B-PER", "I-PER", "B-LOC")), step=0, theme="dark")
    condition = layers(chart)[0]["encoding"]["color"]["condition"]
    assert (condition["test"], condition["value"]) == ("datum.target", COLOURS["accent"]["dark"])
    assert chart.to_dict()["title"]["subtitle"][-1] == "▶ right answer"


def test_charts_carry_their_words_as_a_description():
    assert class_probability_chart(verdict()).to_dict()["description"] == class_probability_alt(verdict())
    assert distribution_chart(run(), step=0).to_dict()["description"] == distribution_alt(run(), step=0)
    assert surprisal_chart(run()).to_dict()["description"] == surprisal_alt(run())


def test_titles_say_what_the_distribution_is_of():
    assert distribution_chart(run(), step=1).to_dict()["title"]["text"] == "What comes after “␣” (2)"
    assert distribution_chart(run("tagging"), step=0).to_dict()["title"]["text"] == "The tag of “a” (1)"
    assert distribution_chart(verdict(), step=1).to_dict()["title"]["text"] == "The verdict after “bad” (2)"


def test_two_classes_are_one_line():
    chart = class_probability_chart(verdict(), step=1)
    rows = data(chart, 2)
    assert [(row["word"], row["label"], row["probability"]) for row in rows] == [
        ("not", "positive", pytest.approx(0.2)),
        ("bad", "positive", pytest.approx(0.7)),
        (".", "positive", pytest.approx(0.75)),
    ]
    assert chart.to_dict()["title"] == "P(positive) after this word"
    assert data(chart, 1) == [{"step": 1}]


def test_more_classes_have_a_line_each_and_a_legend():
    trace = run("classification")
    encoding = layers(class_probability_chart(trace, theme="dark"))[2]["encoding"]
    assert encoding["color"]["scale"]["domain"] == ["a", " ", "b", "c"]
    assert encoding["color"]["scale"]["range"] == list(category_colours("dark")[:4])
    assert encoding["color"]["legend"] == {"orient": "top"}


def test_a_language_models_surprise_stands_over_the_token_that_came():
    chart = surprisal_chart(run(), step=0)
    rows = data(chart, 1)
    assert [(row["step"], row["token"], row["bits"]) for row in rows] == [(1, "␣", "2.0000"), (2, "b", "2.0000")]
    assert data(chart, 2) == [{"mean": pytest.approx(2 * math.log(2))}]


def test_a_taggers_surprise_stands_over_its_own_token():
    rows = data(surprisal_chart(run("tagging")), 1)
    assert [row["step"] for row in rows] == [0, 1]


def test_without_targets_the_surprisal_chart_is_empty_and_says_so():
    unknown = run(targets=np.full(3, NO_TARGET))
    assert data(surprisal_chart(unknown), 1) == []
    assert surprisal_alt(unknown) == "What is right is not known at any step, so there is no surprisal to show."


def test_every_picture_is_told_in_words():
    assert distribution_alt(run(), step=0) == (
        "What comes after “a” (1): a 50.0 %, ␣ 25.0 % (comes next), b 12.5 %. "
        "Entropy 1.21 nats (1.75 bits); surprisal 1.39 nats (2.00 bits)."
    )
    assert class_probability_alt(verdict()) == (
        "After all 3 words the verdict is positive with probability 75.0 %. "
        "The word that moves it most is bad (number 2): from 20.0 % to 70.0 %."
    )
    assert surprisal_alt(run()) == (
        "Mean surprisal 1.386 nats over 2 tokens, perplexity 4.00. "
        "The greatest surprise is ␣ (number 2) with 1.386 nats."
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda **options: distribution_chart(run(), step=0, **options),
        lambda **options: class_probability_chart(verdict(), **options),
        lambda **options: surprisal_chart(run(), **options),
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_fit_either_theme_and_a_lecture_hall(make, theme):
    config = make(theme=theme, font_size=18).to_dict()["config"]
    assert config["background"] == "transparent"
    assert config["axis"]["labelColor"] == COLOURS["text"][theme]
    sizes = [
        size for part in config.values() if isinstance(part, dict) for key, size in part.items() if "ontSize" in key
    ]
    assert len(sizes) == 7
    assert min(sizes) == 18


@pytest.mark.parametrize(
    "chart",
    [
        distribution_chart(run(), step=0),
        class_probability_chart(verdict(), step=1),
        surprisal_chart(run(), step=0),
        surprisal_chart(run(targets=np.full(3, NO_TARGET))),
    ],
)
def test_charts_compile(chart):
    assert vl_convert.vegalite_to_vega(chart.to_dict())["marks"]


def test_hostile_tokens_stay_data():
    hostile = "</script>'\"\\]"
    trace = run(originals=(hostile, " ", "b"), labels=(hostile, " ", "b", "c"))
    expression = layers(surprisal_chart(trace))[1]["encoding"]["x"]["axis"]["labelExpr"]
    listed, _, index = expression.rpartition("[")
    assert json.loads(listed) == ["</script>'\"…" if len(hostile) > 12 else hostile, "␣", "b"]
    assert index == "datum.value]"


@pytest.mark.parametrize("step", [-1, 3])
def test_a_step_outside_the_text_is_refused(step):
    with pytest.raises(InvalidInputError, match=f"step is {step}; allowed is 0 to 2"):
        distribution_chart(run(), step=step)
