"""The lessons: every claim holds for the models that come with seqviz, and no file holds a number that was computed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest

import seqviz
from seqviz.backends.requests import Request
from seqviz.backends.worker import Worker
from seqviz.checkpoints import checkpoints_root
from seqviz.errors import DataFormatError, InvalidInputError, UnknownNameError
from seqviz.i18n import LANGUAGES
from seqviz.lessons import CLAIMS, Lesson, all_lessons, chapters, check, filled, find_lesson
from seqviz.lessons.catalogue import read_chapter
from seqviz.lessons.finding import placeholders

LESSONS = pytest.mark.parametrize("lesson", all_lessons(), ids=[lesson.id for lesson in all_lessons()])
PAGES = {"unroll", "gradients", "gates", "units", "translate", "attention", "decoding"}


@pytest.fixture(scope="module")
def ask() -> Callable[[Request], object]:
    """A worker in this process, on the checkpoints that come with seqviz."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SEQVIZ_CHECKPOINTS", raising=False)
        return Worker().answer


def no_model(request: Request) -> object:
    raise AssertionError(f"{request} was asked")


def finding(claim: str, /, **parameters: object):
    return CLAIMS[claim](no_model, **parameters)


# ---- the files


def test_the_chapters_are_those_of_the_course():
    assert [chapter.id for chapter in chapters()] == ["R", "B", "G", "S", "A"]
    assert len(all_lessons()) >= 20
    assert len({lesson.id for lesson in all_lessons()}) == len(all_lessons())
    for chapter in chapters():
        assert all(lesson.id.startswith(chapter.id) for lesson in chapter.lessons)


@LESSONS
def test_a_lesson_says_everything_in_every_language(lesson: Lesson):
    sentences = [getattr(lesson, name) for name in ("title", "scene", "question", "found", "because", "next")]
    for words in (*sentences, *(choice.text for choice in lesson.choices)):
        assert set(words) == set(LANGUAGES)
        assert all(words.values())
    for words in sentences:
        assert re.search(r"[\u4e00-\u9fff]", words["zh_CN"]) or words is lesson.title
    assert 2 <= len(lesson.choices) <= 4
    assert len({choice.id for choice in lesson.choices}) == len(lesson.choices)
    assert lesson.page in PAGES


@LESSONS
def test_the_view_that_a_lesson_opens_shows_what_its_claim_is_about(lesson: Lesson):
    shown = dict(lesson.query)
    for parameter, keys in {
        "model": ("model", "translator"), "text": ("text",), "other": ("text2",), "table": ("table",), "do": ("do",),
        "source": ("source",), "loss": ("loss",),
    }.items():  # fmt: skip
        if parameter in lesson.parameters and lesson.claim != "number_held":
            assert str(lesson.parameters[parameter]) in [shown.get(key) for key in keys], parameter


@LESSONS
def test_what_is_revealed_has_no_number_but_those_that_are_computed(lesson: Lesson):
    for language in LANGUAGES:
        bare = re.sub(r"\{.*?\}", "", lesson.found[language])
        # Names of terms (p₁, α = 0) and the parameters of the claim may stand there.
        assert not re.search(r"\d+[.,]\d|\d\s?%|10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]", bare)
    assert placeholders(lesson.found["en"]) == placeholders(lesson.found["zh_CN"])


# ---- the claims


@LESSONS
def test_a_claim_holds_for_the_models_that_come_with_seqviz(lesson: Lesson, ask):
    found = check(lesson, ask)
    assert found.answer == lesson.answer
    assert placeholders(lesson.found["en"]) <= set(found.numbers)
    for language in LANGUAGES:
        sentence = filled(lesson.found[language], found.numbers)
        assert "{" not in sentence
        assert "nan" not in sentence
        assert "inf" not in sentence


def test_the_lectures_table_gives_the_lectures_numbers():
    found = finding("greedy_against_best", table="syllabus")
    assert (found.answer, found.numbers["greedy"], found.numbers["best"]) == ("no", "A B C <eos>", "A C B <eos>")
    assert found.numbers["greedy_p"] == pytest.approx(0.5 * 0.4 * 0.4 * 0.6)
    assert found.numbers["best_p"] == pytest.approx(0.5 * 0.3 * 0.6 * 0.6)


def test_the_lectures_bleu():
    found = finding("bleu_precision", output="A B B C D", reference="A B C D E F", n=2)
    assert (found.answer, found.numbers["p1"], found.numbers["p3"], found.numbers["p4"]) == ("3/4", "4/5", "1/3", "0/2")
    assert found.numbers["two"] == pytest.approx(np.exp(1 - 6 / 5) * 0.8**0.5 * 0.75**0.25)


@pytest.mark.parametrize(("table", "least"), [("missed", "3"), ("syllabus", "2"), ("jane", "2")])
def test_the_beam_that_is_needed(table: str, least: str):
    assert finding("beam_needed", table=table, most=5).answer == least


@pytest.mark.parametrize(
    ("gradient", "answer"), [((3.0, 4.0), "norm"), ((0.3, 0.4), "both"), ((2.0, 2.0), "both"), ((0.5, 3.0), "norm")]
)
def test_clipping_by_value_turns_a_gradient_that_is_not_on_a_diagonal(gradient: tuple[float, ...], answer: str):
    found = finding("clipped", gradient=gradient, limit=1.0)
    assert found.answer == answer
    assert np.hypot(found.numbers["norm_x"], found.numbers["norm_y"]) <= 1 + 1e-12


def test_the_turn_of_a_clipped_gradient_is_the_angle_between_the_two():
    found = finding("clipped", gradient=(3.0, 4.0), limit=1.0)
    assert found.numbers["value_turn"] == pytest.approx(np.degrees(np.arctan2(4, 3)) - 45)


def test_the_fault_is_the_models_where_the_persons_sentence_is_less_probable():
    assert finding("who_is_at_fault", table="jane", human="Jane is visiting Africa <eos>").answer == "search"
    assert finding("who_is_at_fault", table="jane", human="Africa is Jane <eos>").answer == "model"


def test_scores_that_grow_alike_give_the_same_weights():
    found = finding("scores_shifted", scores=(2.0, 1.0, 0.0), added=10.0)
    assert found.answer == "same"
    assert found.numbers["after"] == pytest.approx(np.exp(2) / (np.exp(2) + np.exp(1) + 1))


def test_a_self_link_multiplies_the_error_at_every_step(ask):
    found = CLAIMS["self_links"](ask, difference=0.1, steps=50)
    assert found.numbers["below"] == pytest.approx(0.9**50)
    assert found.numbers["above"] == pytest.approx(1.1**50)
    assert found.answer == "one"


def test_the_words_verdict_is_that_of_the_trace(ask):
    lesson = find_lesson("R3")
    found = check(lesson, ask)
    trace = seqviz.trace(str(lesson.parameters["model"]), str(lesson.parameters["text"]))
    assert found.numbers["end"] == pytest.approx(float(trace.probabilities[-1, trace.labels.index("positive")]))


def test_the_share_of_a_word_is_the_attention_on_its_pieces(ask):
    from seqviz.backends.translation_requests import ForcedRequest

    found = check(find_lesson("A3"), ask)
    forced = ask(
        ForcedRequest(model="cmn-eng-attention", text="我们明天去北京。", target="We are going to Beijing tomorrow.")
    )
    row = forced.target.labels.index("tomorrow")
    start, end = forced.target.words[row]
    pieces = [forced.source.labels.index(sign) for sign in "明天"]
    assert found.numbers["share"] == pytest.approx(float(forced.attention[start:end][:, pieces].sum() / (end - start)))


def test_the_entropy_of_rows_under_the_regulariser_is_that_of_the_weights(ask):
    from seqviz.backends.translation_requests import ForcedRequest

    found = check(find_lesson("A4"), ask)
    text, target = "Jane visite l'Afrique en septembre.", "Jane visits Africa in September."
    for model, name in (("fra-eng-regularised", "bits"), ("fra-eng-unregularised", "bits_without")):
        weights = np.asarray(ask(ForcedRequest(model=model, text=text, target=target)).attention, np.float64)
        bits = -(weights * np.log2(weights)).sum(1).mean()
        assert found.numbers[name] == pytest.approx(bits, abs=1e-6)


def test_what_is_kept_on_long_sources_is_measured(ask):
    found = check(find_lesson("A1"), ask)
    bins = json.loads((checkpoints_root() / "fra-eng-plain" / "bleu_by_length.json").read_text("utf-8"))["bins"]
    assert found.numbers["plain_kept"] == pytest.approx(bins[-1]["bleu"] / max(one["bleu"] for one in bins))
    with pytest.raises(InvalidInputError, match="BLEU by length was not measured of cmn-eng-attention"):
        CLAIMS["kept_when_long"](ask, attentive="cmn-eng-attention", plain="fra-eng-plain")


# ---- what can be wrong


def test_an_unknown_lesson_is_said_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"Lesson 'Z9' is not known; known are: R1, R3"):
        find_lesson("Z9")


@pytest.mark.parametrize(
    "text", ["id = ", "id = 'X'", "id = 'X'\ntitle.en = 'x'\ntitle.zh_CN = 'x'\n[[lesson]]\nid = 'X1'"]
)
def test_a_damaged_file_is_one_sentence(text: str):
    with pytest.raises(DataFormatError, match="The file of lessons mine is incomplete or wrong"):
        read_chapter(text, name="mine")


def test_a_model_of_that_name_with_other_labels_is_one_sentence(ask):
    import dataclasses

    lesson = dataclasses.replace(
        find_lesson("R3"), parameters={**find_lesson("R3").parameters, "model": "entities-lstm"}
    )
    with pytest.raises(InvalidInputError, match="Lesson R3 does not fit the installed models"):
        check(lesson, ask)


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{x:percent}", 0.817, "82 %"),
        ("{x:percent}", 0.996, "99.6 %"),
        ("{x:percent}", 1.0, "100 %"),
        ("{x:power}", -27.48, "10⁻²⁷"),
        ("{x:number}", 0.00147, "0.00147"),
        ("{x:number}", 13780.6, "13,781"),
        ("{x:.2f}", -0.5, "−0.50"),
        ("{x}", "B-PER", "B-PER"),
    ],
)
def test_numbers_are_written_so_that_they_can_be_read(template: str, value: object, text: str):
    assert filled(template, {"x": value}) == text
