from __future__ import annotations

import string
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from seqviz.errors import CheckpointError, InvalidInputError, UnknownNameError, unknown_name
from seqviz.i18n import (
    LANGUAGES,
    best_language,
    catalogue_path,
    english,
    msgid,
    translate_error,
    translator,
)
from seqviz.i18n.extract import ROOT, extracted, main, missing, to_text, updated

CHINESE = [language for language in LANGUAGES if language != "en"]


def fields(template: str) -> list[tuple[str | None, str | None, str | None]]:
    """The {named} fields of a template with their formats, in any order."""
    return sorted((name, spec, kind) for _, name, spec, kind in string.Formatter().parse(template) if name is not None)


@cache
def catalogue(language: str) -> Catalog:
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language)


@cache
def wanted(language: str) -> Catalog:
    return updated(language)


def test_languages_have_their_own_names():
    assert dict(LANGUAGES) == {"en": "English", "zh_CN": "简体中文"}


def test_english_is_the_language_of_the_message_ids():
    assert translator("en") is english
    assert english("hidden state") == "hidden state"
    assert msgid("hidden state") == "hidden state"


@pytest.mark.parametrize(
    ("message", "chinese"),
    [
        ("hidden state", "隐状态"),
        ("forget gate", "遗忘门"),
        ("input gate", "输入门"),
        ("output gate", "输出门"),
        ("update gate", "更新门"),
        ("reset gate", "重置门"),
        ("cell state", "记忆元"),
        ("no such sentence", "no such sentence"),
    ],
)
def test_chinese_uses_the_terms_of_chinese_courses_and_falls_back_to_english(message, chinese):
    assert translator("zh_CN")(message) == chinese


def test_a_catalogue_is_read_once():
    assert translator("zh_CN") is translator("zh_CN")


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="language 'fr' is not known; known are: en, zh_CN"):
        translator("fr")


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh_CN"),
        ("zh-CN", "zh_CN"),
        ("zh_CN", "zh_CN"),
        ("zh-Hans-SG", "zh_CN"),
        ("ZH-TW", "zh_CN"),
        ("en-GB", "en"),
        ("fr-FR", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        ("en;q=0.8, zh;q=0.9", "zh_CN"),
        ("fr,zh;q=0.5", "zh_CN"),
        ("zh;q=0,en", "en"),
        ("zh;q=much", "en"),
    ],
)
def test_the_browser_chooses_the_language(accept, language):
    assert best_language(accept) == language


@pytest.mark.parametrize("language", CHINESE)
def test_every_sentence_of_the_code_is_translated(language):
    assert missing(wanted(language)) == []


@pytest.mark.parametrize("language", CHINESE)
def test_the_catalogue_is_up_to_date_and_holds_nothing_that_the_code_no_longer_has(language):
    stored = catalogue(language)
    assert {message.id for message in stored} == {message.id for message in wanted(language)}
    assert not stored.obsolete
    assert catalogue_path(language).read_text("utf-8") == to_text(wanted(language))


@pytest.mark.parametrize("language", CHINESE)
def test_translations_have_the_fields_of_their_sentence(language):
    wrong = [str(message.id) for message in catalogue(language) if fields(message.id) != fields(message.string)]
    assert wrong == []


@pytest.mark.parametrize("language", CHINESE)
def test_no_translation_is_marked_as_a_guess(language):
    assert [message.id for message in catalogue(language) if message.id and message.fuzzy] == []


def test_the_extraction_finds_calls_marks_and_error_templates(tmp_path: Path):
    (tmp_path / "seqviz").mkdir()
    (tmp_path / "seqviz" / "new.py").write_text(
        't("one "\n  "sentence")\nNAME = msgid("two")\nraise InvalidInputError("three {x}", x=1)\n'
        'unknown_name("four", 1, [2])\nother("five")\nsettings.t("six")\n'
        "f\"{t('seven')}\"\nt(f'eight {t}')\nt(nine)\nt()\n",
        "utf-8",
    )
    found = list(extracted(tmp_path))
    assert sorted(message for message, _ in found) == ["four", "one sentence", "seven", "six", "three {x}", "two"]
    assert {file for _, file in found} == {"seqviz/new.py"}


def test_a_new_sentence_is_missing_until_it_is_translated_and_an_old_one_goes(tmp_path: Path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "page.py").write_text('t("hidden state")\nt("a brand new sentence")\n', "utf-8")
    new = updated("zh_CN", tmp_path)
    assert missing(new) == ["a brand new sentence"]
    assert new["hidden state"].string == "隐状态"
    assert len(new) == 2
    assert "reset gate" not in to_text(new)


def test_the_check_reports_without_changing_anything(capsys):
    before = catalogue_path("zh_CN").read_bytes()
    assert main(["--check"]) == 0
    assert capsys.readouterr().out.endswith(" sentences, 0 without a translation\n")
    assert catalogue_path("zh_CN").read_bytes() == before


def test_catalogues_need_no_build_step():
    assert list((ROOT / "seqviz").rglob("*.mo")) == []


def test_an_error_is_translated_before_its_parameters_are_filled_in():
    t = translator("zh_CN")
    error = InvalidInputError("step is {step}; allowed is 0 to {last}.", step=9, last=4)
    assert translate_error(error, t) == "时间步为 9；允许 0 到 4。"
    assert translate_error(error, english) == str(error)


def test_an_error_without_parameters_may_hold_braces():
    assert translate_error(InvalidInputError("a {brace}"), english) == "a {brace}"


def test_errors_and_field_names_inside_an_error_are_translated_too():
    t = translator("zh_CN")
    assert (
        translate_error(unknown_name("cell", "clock", ["gru", "lstm"]), t)
        == "循环单元 'clock' 未知；已知的有：gru, lstm。"
    )
    inner = CheckpointError("{path} is damaged: {reason}.", path="a", reason="b")
    outer = CheckpointError("{path} is damaged: {reason}.", path="c", reason=inner)
    assert translate_error(outer, t) == "c 已损坏：a 已损坏：b。。"
