# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's chains in real Blender: their weights downloaded from a hub, then both in one storyboard.

The repositories are published in layout and small in width, so that two cores can run them.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import Hub, folders_of, serving

from .conftest import run_script

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def said(
    blender_python: Path,
    user_resources: Path,
    sidecar_python: Path,
    hub_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """What one run of the script has seen."""
    folder = tmp_path_factory.mktemp("two-chains")
    with serving(Hub(folders_of(hub_cache))) as address, pytest.MonkeyPatch.context() as patch:
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        patch.setenv("HF_ENDPOINT", address)
        patch.setenv("HF_HOME", str(folder / "hub"))
        return run_script(blender_python, user_resources, folder, "two_chains.py", sidecar=str(sidecar_python))


def test_nothing_leaves_the_machine_while_online_access_is_off(said: Any) -> None:
    assert said["offline"] == ["CANCELLED"]


def test_nothing_is_downloaded_before_it_is_accepted(said: Any) -> None:
    assert said["not_accepted"] == said["not_allowed"] == ["CANCELLED"]
    assert all(said["before"].values())


def test_the_download_button_brings_what_the_chains_lack(said: Any) -> None:
    assert {state for state, _ in said["fetched"].values()} == {"done"}, said["fetched"]
    assert list(said["after"].values()) == ["", ""]
    assert any("MB" in text for text in said["texts"])


def test_a_take_comes_out_of_both_chains_in_one_storyboard(said: Any) -> None:
    assert said["done"]
    assert said["ended"] == ["FINISHED", "FINISHED"], said["problems"]
    assert [record["chain"]["name"] for record in said["records"]] == ["confiner-s/modelscope", "confiner-s/lavie"]
    assert [span[2:] for span in said["spans"]] == [[1, 7], [7, 13]]
    assert said["missing"] == []
    assert said["shapes"] == [[256, 256, 3]] * 2
    assert said["differ"]


def test_the_chain_that_was_swapped_kept_what_both_have_in_common(said: Any) -> None:
    first, second = (record["weights"] for record in said["records"])
    assert first["spatial.unet"] == second["spatial.unet"]
    assert first["temporal.unet"] != second["temporal.unet"]
