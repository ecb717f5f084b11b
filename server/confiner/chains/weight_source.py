# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the parts of an expert lie: in the package, in a folder, or in the hub's cache on this machine.

bundled:bundled-1/spatial/unet                          small weights that come with the package
/models/mine/unet   ~/mine/unet   ./mine/unet           a folder or a .safetensors file; ./ is beside the chain file
stable-diffusion-v1-5/stable-diffusion-v1-5/unet        repository owner/name on the hub, then a path in it
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import WeightsDamaged
from .tensor_file import damage

PICKLED = (".pt", ".pth", ".ckpt", ".bin")
BUNDLED = Path(__file__).resolve().parent.parent / "bundled"


@dataclass(frozen=True)
class WeightSource:
    """One place as a chain file writes it; `base` is the folder that `./` is relative to."""

    text: str
    base: Path

    def __str__(self) -> str:
        return self.text

    def folder(self) -> Path | None:
        """The folder or file on this machine, None if it is not here, not whole, or still pickled."""
        path = self._written()
        if path is None or _pickled(path) is not None:
            return None
        if path.suffix in PICKLED:
            return converted_form(path)
        names = _names(path)
        unfinished = "config.json" in names and not _with_weights(names)
        return None if unfinished else path

    def damage(self) -> WeightsDamaged | None:
        """What is wrong with the weights that are here, if they can never be loaded. Reads no more than headers."""
        path = self.folder()
        return None if path is None else damage(path)

    def pickled(self) -> Path | None:
        """The pickled file that this place names or has in its folder, if there is nothing else to load there."""
        path = self._written()
        return None if path is None else _pickled(path)

    def repository(self) -> tuple[str, str] | None:
        """The repository on the hub and the path in it, None for a place on this machine."""
        if self._is_local():
            return None
        owner, name, *inside = PurePosixPath(self.text).parts + ("",) * 2
        return f"{owner}/{name}", "/".join(filter(None, inside))

    def _is_local(self) -> bool:
        drive = len(self.text) > 1 and self.text[1] == ":"
        return drive or self.text.startswith(("bundled:", "/", "~", "./", "../"))

    def _written(self) -> Path | None:
        """What the text says, if it is here."""
        if self.text.startswith("bundled:"):
            path = BUNDLED / self.text.removeprefix("bundled:")
        elif self._is_local():
            path = self.base / Path(self.text).expanduser()
        else:
            return _in_hub_cache(self.text)
        return path if path.exists() else None

    def __truediv__(self, part: str) -> WeightSource:
        return WeightSource(f"{self.text.rstrip('/')}/{part}", self.base)


def _pickled(path: Path) -> Path | None:
    names = _names(path)
    if _with_weights(names):
        return None
    binaries = sorted((name for name in names if name.endswith(".bin")), key=len)
    files = [path] if path.suffix in PICKLED else [path / name for name in binaries]
    return next((file for file in files if not converted_form(file).exists()), None)


def _names(path: Path) -> list[str]:
    """What lies in a folder; nothing in a file."""
    return os.listdir(path) if path.is_dir() else []


def _with_weights(names: list[str]) -> bool:
    return any(name.endswith(".safetensors") for name in names)


def converted_form(pickled: Path) -> Path:
    """What a pickled file is converted into, beside it: a file if a configuration stands there too, else a folder."""
    if not (pickled.parent / "config.json").is_file():
        return pickled.with_suffix("")
    return pickled.with_name(f"{pickled.stem.removeprefix('pytorch_')}.safetensors")


def _in_hub_cache(text: str) -> Path | None:
    """A path inside a repository's newest snapshot, by the layout of the hub's cache."""
    parts = PurePosixPath(text).parts
    if len(parts) < 2:
        return None
    repository = hub_cache() / f"models--{parts[0]}--{parts[1]}" / "snapshots"
    snapshots = sorted(repository.glob("*"), key=lambda snapshot: snapshot.stat().st_mtime, reverse=True)
    paths = (snapshot.joinpath(*parts[2:]) for snapshot in snapshots)
    return next((path for path in paths if path.is_file() or _is_whole(path)), None)


def _is_whole(folder: Path) -> bool:
    """Whether a download has come to its end: the configuration is the last of a folder's files."""
    return any((folder / name).exists() for name in ("config.json", "tokenizer_config.json"))


def hub_cache() -> Path:
    """The hub's cache folder, by the same environment variables as the hub's own client."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"])
    home = os.environ.get("HF_HOME", Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface")
    return Path(home).expanduser() / "hub"
