# SPDX-License-Identifier: GPL-3.0-or-later
"""The glossary has the words that the code uses, each once, with one meaning and the place where it is at home."""

from __future__ import annotations

import re

import pytest

from docs.from_code.modules import ROOT, project_modules

PAGE = (ROOT / "docs" / "pages" / "glossary.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^(\w[^\n]*)\n:   ((?:.+\n)(?:    .+\n)*)", PAGE, re.MULTILINE)
CODE = {name: f"{name} {path.read_text(encoding='utf-8').lower()}" for name, path in project_modules()}


def test_every_word_stands_there_once() -> None:
    words = [word.lower() for word, _ in ENTRIES]
    assert len(words) > 50
    assert len(words) == len(set(words))
    assert len(words) == PAGE.count("\n:   "), "an entry that is not read as one"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry[0])
def test_a_word_is_used_where_it_is_said_to_be(entry: tuple[str, str]) -> None:
    word, meaning = entry
    homes = re.findall(r"\]\[(confiner[\w.]*)\]|\[`(confiner[\w.]*)`\]\[\]", meaning)
    assert len(homes) == 1, "one place for each word"
    (home,) = (first or second for first, second in homes)
    spelt = re.compile(r"[\s_-]*".join(re.escape(part) for part in re.split(r"[\s-]", word.lower())))
    texts = [text for name, text in CODE.items() if name == home or name.startswith(f"{home}.")]
    assert any(spelt.search(text) for text in texts), f"{home} does not say {word!r}"


def test_the_words_that_a_newcomer_meets_first_are_there() -> None:
    wanted = {"storyboard", "shot", "take", "strip", "segment", "window", "hinge", "freedom", "journal", "sidecar"}
    assert wanted | {"supervisor", "expert", "chain", "rule", "plan", "job", "event"} <= {w.lower() for w, _ in ENTRIES}
