# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner chains` says of each chain what a user needs to choose it."""

import json

from confiner_lab.world import vocabulary


def test_the_bundled_chain_is_there_with_all_the_words_it_knows(confiner):
    done = confiner("chains", "--json")
    assert done.returncode == 0, done.stderr
    chains = {chain["name"]: chain for chain in json.loads(done.stdout)}
    bundled = chains["bundled"]
    assert bundled["missing"] == ""
    assert bundled["sizes"][0] == [64, 64]
    assert bundled["fps"] == 8
    assert bundled["licence"] == "GPL-3.0-or-later"
    assert set(bundled["words"]) == set(vocabulary())


def test_a_person_reads_the_same(confiner):
    done = confiner("chains")
    assert done.returncode == 0
    for text in ("bundled: ", "weights         here", "64×64, 112×64 pixels, 8 frames a second", "licence", "crimson"):
        assert text in done.stdout


def test_a_mistake_in_a_chain_file_is_named_with_its_place(confiner, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[mine]\ntitel = 'x'\n", encoding="utf-8")
    done = confiner("chains", "--chains", file)
    assert done.returncode == 2
    assert "mine.toml, line 1, [mine" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_rules_and_the_kinds_of_expert_are_listed_with_what_they_do(confiner):
    lines = confiner("chains").stdout.splitlines()
    assert any(line.split()[:1] == ["temporal"] and "steady" in line for line in lines)
    assert any(line.split() == ["lavie", "LaVieUNet"] for line in lines)
