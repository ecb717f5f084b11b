# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and movies as people have them become the frames that any viewer shows, or are refused by their name."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from confiner.errors import StructureError
from confiner.pictures import frames_of, read_picture, read_structure
from PIL import Image, ImageCms

BACK_TO_FRONT = [3, 1, 2]


@pytest.fixture
def drawn() -> np.ndarray:
    """Sixteen pictures that all differ: a bright square on grey that moves right and down. [16, 48, 64, 3]"""
    frames = np.full((16, 48, 64, 3), 60, np.uint8)
    for number, frame in enumerate(frames):
        frame[4 + number : 16 + number, 6 + 2 * number : 20 + 2 * number] = (230, 120, 20)
    return frames


def save(folder: Path, frames: np.ndarray, name: str = "shot_{:04d}.png") -> Path:
    folder.mkdir(exist_ok=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / name.format(number))
    return folder


@pytest.mark.parametrize("name", ["{}.png", "shot {}.TIF", "Take2_{}.bmp", "{:02d}b.webp"])
def test_pictures_come_in_the_order_in_which_people_count(tmp_path, drawn, name):
    colours = np.stack([np.full((8, 8, 3), 10 * number, np.uint8) for number in range(1, 17)])
    got = read_structure(save(tmp_path / "frames", colours, name))
    assert np.abs(got[:, 0, 0, 0].astype(int) - colours[:, 0, 0, 0]).max() <= 2
    assert list(np.argsort(got[:, 0, 0, 0])) == list(range(16))


def test_what_a_mac_and_a_desktop_leave_beside_pictures_is_passed_over(tmp_path, drawn):
    folder = save(tmp_path / "frames", drawn)
    for path in list(folder.iterdir()):
        (folder / f"._{path.name}").write_bytes(b"\0\5\26\7" + bytes(400))
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    assert np.array_equal(read_structure(folder), drawn)


def test_two_sequences_in_one_folder_are_told_apart(tmp_path, drawn):
    save(tmp_path / "frames", drawn, "beauty_{:04d}.png")
    save(tmp_path / "frames", drawn, "depth_{:04d}.png")
    with pytest.raises(StructureError, match=r"beauty_#\.png, depth_#\.png"):
        read_structure(tmp_path / "frames")


def test_a_ramp_of_sixteen_bits_stays_a_ramp(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (8, 1))
    for name in ("depth.png", "depth.tif"):
        Image.fromarray(ramp).save(tmp_path / name)
        got = read_picture(tmp_path / name)
        assert np.array_equal(got[0, :, 0], (ramp[0] / 257).round())
        assert got.shape == (8, 64, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_s_picture_is_upright(tmp_path, drawn, orientation):
    stored = Image.fromarray(drawn[3])
    exif = stored.getexif()
    exif[274] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    turned = {
        1: drawn[3],
        2: drawn[3][:, ::-1],
        3: drawn[3][::-1, ::-1],
        4: drawn[3][::-1],
        5: drawn[3].transpose(1, 0, 2),
        6: drawn[3][::-1].transpose(1, 0, 2),
        7: drawn[3][::-1, ::-1].transpose(1, 0, 2),
        8: drawn[3][:, ::-1].transpose(1, 0, 2),
    }
    assert np.array_equal(read_picture(tmp_path / "a.png"), turned[orientation])


def test_palettes_and_greys_show_their_colours(tmp_path, drawn):
    Image.fromarray(drawn[0]).quantize(8).save(tmp_path / "palette.png")
    assert np.abs(read_picture(tmp_path / "palette.png").astype(int) - drawn[0]).max() <= 8
    grey = Image.fromarray(drawn[0]).convert("L")
    grey.save(tmp_path / "grey.png")
    assert np.array_equal(read_picture(tmp_path / "grey.png"), np.repeat(np.asarray(grey)[..., None], 3, -1))
    grey.point(lambda value: 255 * (value > 100)).convert("1").save(tmp_path / "line.png")
    assert set(np.unique(read_picture(tmp_path / "line.png"))) == {0, 255}


def test_what_is_transparent_stands_on_black(tmp_path, drawn):
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, 32:] = 255
    alpha[:, 16:32] = 128
    Image.fromarray(np.dstack([drawn[0], alpha])).save(tmp_path / "a.png")
    got = read_picture(tmp_path / "a.png")
    assert not got[:, :16].any()
    assert np.array_equal(got[:, 32:], drawn[0][:, 32:])
    assert np.abs(got[:, 16:32].astype(int) - drawn[0][:, 16:32] * (128 / 255)).max() <= 1
    palette = Image.fromarray(drawn[0]).quantize(8)
    palette.save(tmp_path / "p.png", transparency=palette.getpixel((0, 0)))
    assert not read_picture(tmp_path / "p.png")[0, 0].any()


def test_print_colours_are_shown_as_a_screen_shows_them(tmp_path, drawn):
    Image.fromarray(drawn[0]).convert("CMYK").save(tmp_path / "print.tif")
    assert np.abs(read_picture(tmp_path / "print.tif").astype(int) - drawn[0]).max() <= 2


def test_a_colour_profile_is_followed_and_a_damaged_one_passed_over(tmp_path, drawn):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(drawn[0]).save(tmp_path / "same.png", icc_profile=lab)
    assert np.abs(read_picture(tmp_path / "same.png").astype(int) - drawn[0]).max() <= 1
    linear = linear_profile()
    Image.fromarray(drawn[0]).save(tmp_path / "linear.png", icc_profile=linear)
    got, unit = read_picture(tmp_path / "linear.png") / 255, drawn[0] / 255
    encoded = np.where(unit <= 0.0031308, 12.92 * unit, 1.055 * unit ** (1 / 2.4) - 0.055)
    assert np.abs(got - encoded).max() < 0.02
    Image.fromarray(drawn[0]).save(tmp_path / "odd.png", icc_profile=b"no profile at all")
    assert np.array_equal(read_picture(tmp_path / "odd.png"), drawn[0])


def linear_profile() -> bytes:
    """sRGB's colours with light counted evenly: its curves in the file replaced by straight ones."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for entry in range(int.from_bytes(profile[128:132], "big")):
        at = 132 + 12 * entry
        if bytes(profile[at : at + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            offset = int.from_bytes(profile[at + 4 : at + 8], "big")
            profile[offset : offset + 12] = b"curv" + bytes(8)
            profile[at + 8 : at + 12] = (12).to_bytes(4, "big")
    return bytes(profile)


def damage(kind: str, path: Path, frame: np.ndarray) -> None:
    Image.fromarray(frame).save(path, format="PNG")
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "cut off":
            path.write_bytes(path.read_bytes()[:-40])
        case "a web page":
            path.write_text("<html>no</html>")
        case "damaged":
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 255
            path.write_bytes(data)
        case "float":
            Image.fromarray(frame[..., 0].astype(np.float32)).save(path, format="TIFF")
        case "a bomb":
            path.write_bytes(bomb())
        case "a folder":
            path.unlink()
            path.mkdir()


def bomb() -> bytes:
    """A PNG that says it is 100 000 pixels wide and high."""
    header = b"IHDR" + (100_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big") + bytes(40)


@pytest.mark.parametrize("kind", ["empty", "cut off", "a web page", "damaged", "float", "a bomb", "a folder"])
def test_what_cannot_be_read_is_refused_by_its_name(tmp_path, drawn, kind):
    folder = save(tmp_path / "frames", drawn)
    damage(kind, folder / "shot_0009.png", drawn[8])
    with pytest.raises(StructureError, match=r"shot_0009\.png") as caught:
        read_structure(folder)
    assert caught.value.remedy
    if kind == "empty":
        assert "still being rendered" in str(caught.value)


def test_a_folder_without_pictures_and_a_missing_one_are_refused(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StructureError, match="no pictures"):
            read_structure(place)


def test_a_take_gives_its_frames_and_not_the_structure_beside_them(tmp_path, drawn):
    save(tmp_path / "take", drawn[:4], "frame_{:04d}.png")
    save(tmp_path / "take", drawn[8:12], "structure_{:04d}.png")
    assert np.array_equal(read_structure(tmp_path / "take"), drawn[:4])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".gif"])
def test_a_movie_gives_its_frames_each_in_its_place(tmp_path, drawn, suffix):
    import imageio.v3 as imageio

    path = tmp_path / f"layout{suffix}"
    options = {} if suffix == ".gif" else {"plugin": "FFMPEG", "fps": 8, "macro_block_size": 2, "quality": 10}
    imageio.imwrite(path, drawn, **options)
    got = read_structure(path)
    assert got.shape == drawn.shape
    nearest = [int(np.abs(drawn.astype(int) - frame).mean(axis=(1, 2, 3)).argmin()) for frame in got]
    assert nearest == list(range(16))
    assert np.abs(got.astype(int) - drawn).mean() < 6


@pytest.mark.parametrize("content", [b"", b"<html>no</html>", bytes(4000)])
def test_a_movie_that_is_none_is_refused_by_its_name(tmp_path, content):
    (tmp_path / "layout.mp4").write_bytes(content)
    with pytest.raises(StructureError, match=r"layout\.mp4"):
        read_structure(tmp_path / "layout.mp4")


def forms(drawn: np.ndarray) -> dict[str, object]:
    pictures = [Image.fromarray(frame) for frame in drawn]
    unit = drawn.astype(np.float32) / 255
    return {
        "pictures": pictures,
        "pictures with alpha": [picture.convert("RGBA") for picture in pictures],
        "a batch of pictures": [pictures],
        "arrays in a list": list(drawn),
        "uint8": drawn,
        "int64": drawn.astype(np.int64),
        "with alpha": np.concatenate([drawn, np.full_like(drawn[..., :1], 255)], axis=-1),
        "float": unit,
        "float64, as a batch": unit[None].astype(np.float64),
        "channels first": unit.transpose(0, 3, 1, 2),
        "a tensor": torch.from_numpy(unit.transpose(0, 3, 1, 2)),
        "a batch of tensors": torch.from_numpy(unit.transpose(0, 3, 1, 2))[None],
        "a tensor of bytes": torch.from_numpy(drawn),
        "tensors in a list": list(torch.from_numpy(unit.transpose(0, 3, 1, 2))),
    }


@pytest.mark.parametrize("name", list(forms(np.zeros((1, 8, 8, 3), np.uint8))))
def test_what_pipelines_hand_out_is_taken_again(drawn, name):
    assert np.array_equal(frames_of(forms(drawn)[name]), drawn)


def test_half_floats_come_within_a_level(drawn):
    half = torch.from_numpy(drawn.astype(np.float32) / 255).permute(0, 3, 1, 2)
    for kind, levels in ((torch.float16, 1), (torch.bfloat16, 1)):
        assert np.abs(frames_of(half.to(kind)).astype(int) - drawn).max() <= levels


@pytest.mark.parametrize(
    ("video", "seen"),
    [
        (np.zeros((4, 8, 8, 3), np.float32) - 1, "-1 to -1"),
        (np.full((4, 8, 8, 3), 255.0), "255 to 255"),
        (np.full((4, 8, 8, 3), np.nan), "nan"),
        (np.full((4, 8, 8, 3), 300), "300"),
        (np.zeros((2, 4, 8, 8, 3), np.uint8), r"\[2, 4, 8, 8, 3\]"),
        (np.zeros((8, 8), np.uint8), r"\[8, 8\]"),
        (np.zeros((0, 8, 8, 3), np.uint8), r"\[0, 8, 8, 3\]"),
        ([], "list"),
        ("film.mp4", "str"),
        ([Image.new("RGB", (8, 8)), Image.new("RGB", (8, 9))], "8×8 and frame 1 of 8×9"),
    ],
)
def test_other_forms_are_refused_in_a_sentence(video, seen):
    with pytest.raises(StructureError, match=seen):
        frames_of(video)


def test_a_sequence_s_frames_keep_their_places_wherever_the_files_are_copied(tmp_path, drawn):
    folder = save(tmp_path / "frames", drawn[:3], "{}.png")
    for number in BACK_TO_FRONT:
        shutil.move(folder / f"{number}.png", tmp_path / f"{number}.png")
        shutil.move(tmp_path / f"{number}.png", folder / f"{number}.png")
    assert np.array_equal(read_structure(folder), drawn[:3])
