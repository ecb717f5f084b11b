# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner convert` turns LaVie's pickled file into a folder, once, and says where it is."""

import torch
from confiner_lab.published import read_repository, scaled_down
from confiner_lab.published.layouts import write_repository


def test_a_pickled_file_is_converted_once(confiner, tmp_path):
    write_repository(scaled_down(read_repository("lavie")), tmp_path)
    done = confiner("convert", tmp_path / "lavie_base.pt")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "lavie_base") in done.stdout
    written = (tmp_path / "lavie_base" / "diffusion_pytorch_model.safetensors").stat().st_mtime_ns
    again = confiner("convert", tmp_path / "lavie_base.pt")
    assert "there already" in again.stdout
    assert (tmp_path / "lavie_base" / "diffusion_pytorch_model.safetensors").stat().st_mtime_ns == written


def test_another_file_is_refused_in_two_lines(confiner, tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pt")
    done = confiner("convert", tmp_path / "other.pt")
    assert done.returncode == 2
    assert "other tensors than LaVie's" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2


def test_a_file_that_is_not_there_says_where_to_get_it(confiner, tmp_path):
    done = confiner("convert", tmp_path / "lavie_base.pt")
    assert done.returncode == 2
    assert "Vchitect/LaVie" in done.stderr
