# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickled weights, turned once into safetensors, which load like any others.

A pickled file can carry code. It is read only when a person names it, and with torch's reader for weights alone, which
refuses everything but tensors. Chains load what stands beside it afterwards.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ..chains.file_kind import remedy_for, what_is
from ..chains.tensor_file import damage
from ..chains.weight_source import converted_form
from ..errors import ChainError, WeightsDamaged
from ..memory.out_of_memory import is_out_of_memory
from .lavie_file import lavie_of


def convert(path: Path) -> Path:
    """Write the weights in the pickled file at `path` as safetensors, if that was not done before; return where.

    A file that is safetensors already is returned as it is. Raises ChainError if the file holds anything but tensors,
    or, where no configuration stands beside it, other tensors than LaVie's; WeightsDamaged if what was written before
    is not whole.
    """
    written = path if path.suffix == ".safetensors" else converted_form(path)
    if written.exists():
        if (damaged := damage(written)) is None:
            return written
        remedy = damaged.remedy if written == path else f"remove {written}, then convert {path.name} again"
        raise WeightsDamaged(damaged.seen, damaged.expected, remedy)
    tensors = _read(path)
    unfinished = written.with_name(f"{written.name}.part")  # never half a network under the name that chains look for
    if written.suffix:
        save_file({name: value.contiguous() for name, value in tensors.items()}, unfinished, metadata={"format": "pt"})
    else:
        lavie_of(tensors, path.name).save_pretrained(unfinished)
    return unfinished.replace(written)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        held: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # the reader of pickles raises whatever a damaged one leads it to
        if is_out_of_memory(error):
            raise
        kind = "" if isinstance(error, OSError) else what_is(path)
        known = bool(kind) and "pickled" not in kind
        why = f"it is {kind}" if known else (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ChainError(
            f"{path.name} that cannot be read as weights ({why})",
            "a checkpoint of tensors and nothing else",
            remedy_for(kind) if known else "download it again from the repository it was published in",
        ) from error
    held = held.get("ema", held) if isinstance(held, dict) else held
    if not isinstance(held, dict) or not all(isinstance(value, torch.Tensor) for value in held.values()):
        raise ChainError(f"{path.name} without a dictionary of tensors", "a network's weights", "name another file")
    return held
