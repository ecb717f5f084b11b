# SPDX-License-Identifier: GPL-3.0-or-later
"""How the judges are trained: each on clips of its own seed, with what goes wrong in generated clips among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..scenery import SQUARE, WIDE
from ..training.loop import Draw, Stage, device_of
from ..training.muon import grouped
from . import asker, painter
from .asker import Asker
from .examples import UNKNOWN, Example, random_example, roughened, to_tensor
from .painter import Painter
from .seen import Seen

SEEDS = {"painter": 11, "asker": 12}
HELD_OUT = 1 << 20


@dataclass
class Pool:
    """Examples by number, each made when it is first asked for. Equal seeds give equal examples."""

    seed: int
    size: tuple[int, int]
    made: dict[int, Example] = field(default_factory=dict)

    def __getitem__(self, number: int) -> Example:
        if number not in self.made:
            self.made[number] = random_example(np.random.default_rng([self.seed, self.size[0], number]), self.size)
        return self.made[number]


def stage(
    name: str, model: nn.Module, *, batch: int, pool: int, sizes: Sequence[tuple[int, int]] = (WIDE, SQUARE)
) -> Stage:
    """The stage of the judge `name`. One batch in four is square."""
    pools = [Pool(SEEDS[name], size) for size in sizes]

    def loss(draw: Draw, progress: float) -> Tensor:
        square = draw.rng.integers(4) == 0
        made, most = pools[int(square)], pool // 4 if square else pool
        examples = [made[int(number)] for number in draw.rng.integers(most, size=batch)]
        clips = roughened(to_tensor([example.frames for example in examples]), draw.noise)
        device, starts = device_of(model), torch.tensor([example.start for example in examples])
        seen, details = model(clips.to(device), starts.to(device))
        logits = {question: values.cpu() for question, values in seen.logits.items()}
        return loss_of(replace(seen, logits=logits), details.cpu(), examples, LOSSES[name])

    return Stage(name, model, loss, grouped(model.parameters(), 1.5e-3), ema=0.998)


def build(name: str) -> nn.Module:
    return {"painter": Painter, "asker": Asker}[name]()


def loss_of(
    seen: Seen, details: Tensor, examples: list[Example], of_things: Callable[[Tensor, list[Example]], Tensor]
) -> Tensor:
    total = of_things(details, examples)
    frames = details.shape[1]
    for name in ("ground", "time"):
        target = torch.tensor([getattr(example, name) for example in examples])[:, None].expand(-1, frames)
        total = total + F.cross_entropy(seen.logits[name].flatten(0, 1), target.flatten())
    total = total + _cross_entropy(seen.logits["count"].flatten(0, 1), _counts(examples).flatten())
    for name in ("motion", "camera"):
        total = total + _cross_entropy(seen.logits[name], torch.tensor([getattr(e, name) for e in examples]))
    return total


def _counts(examples: list[Example]) -> Tensor:
    """How many things are there [clips, frames], `UNKNOWN` where one is neither quite there nor gone."""
    present = torch.from_numpy(np.stack([example.present for example in examples]))
    return torch.where((present == UNKNOWN).any(-1), UNKNOWN, present.clamp(min=0).sum(-1))


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    if (target == UNKNOWN).all():
        return logits.sum() * 0
    return F.cross_entropy(logits, target, ignore_index=UNKNOWN)


def _painted(paint: Tensor, examples: list[Example]) -> Tensor:
    """The painter's: where there is a thing, and in the cells that one fills, of what colour and shape."""
    cells = torch.from_numpy(np.stack([example.cells for example in examples])).float() / 255
    there, colour, shape = painter.split(paint)
    total = 4 * F.binary_cross_entropy_with_logits(there, cells.sum(2).clamp(max=1))
    front = cells.argmax(2)
    weight = (cells.amax(2) > 0.3).float()
    for logits, name in ((colour, "colour"), (shape, "shape")):
        named = torch.from_numpy(np.stack([getattr(example, name) for example in examples]))
        target = named.gather(2, front.flatten(2)).view(front.shape)
        losses = F.cross_entropy(logits.flatten(0, 1), target.flatten(0, 1), reduction="none")
        total = total + (losses * weight.flatten(0, 1)).sum() / weight.sum().clamp(min=1)
    return total


def _asked(slots: Tensor, examples: list[Example]) -> Tensor:
    """The asker's: the leftmost thing and the rightmost, there or not, how large, of what colour and shape."""
    present = torch.from_numpy(np.stack([example.present for example in examples]))
    cells = torch.from_numpy(np.stack([example.cells for example in examples])).float() / 255
    share = cells.mean((-2, -1)).clamp(min=1e-4)
    there, area, colour, shape = asker.split(slots)
    known, seen = (present != UNKNOWN).float(), (present == 1).float()
    total = (F.binary_cross_entropy_with_logits(there, seen, reduction="none") * known).sum() / known.sum().clamp(min=1)
    total = total + ((area - share.log()).abs() * seen).sum() / seen.sum().clamp(min=1)
    for logits, name in ((colour, "colour"), (shape, "shape")):
        named = torch.from_numpy(np.stack([getattr(example, name) for example in examples]))
        losses = F.cross_entropy(logits.flatten(0, 2), named.flatten(), reduction="none").view(seen.shape)
        total = total + (losses * seen).sum() / seen.sum().clamp(min=1)
    return total


LOSSES: dict[str, Callable[[Tensor, list[Example]], Tensor]] = {"painter": _painted, "asker": _asked}


@torch.no_grad()
def accuracy(name: str, model: nn.Module, *, count: int, size: tuple[int, int] = WIDE) -> dict[str, float]:
    """On clips never seen: the part of frames, and of clips, that is answered rightly; of areas the mean error."""
    model.eval()
    right: dict[str, list[float]] = {
        key: [] for key in ("count", "ground", "time", "motion", "camera", "colour", "shape")
    }
    errors: list[float] = []
    pool = Pool(SEEDS[name] + HELD_OUT, size)
    for number in range(count):
        example = pool[number]
        seen, _ = model(to_tensor([example.frames]), torch.tensor([example.start]))
        for key in ("ground", "time"):
            right[key] += (seen.logits[key][0].argmax(-1) == getattr(example, key)).float().tolist()
        counts = _counts([example])[0]
        right["count"] += (seen.logits["count"][0].argmax(-1) == counts)[counts != UNKNOWN].float().tolist()
        for key in ("motion", "camera"):
            if getattr(example, key) != UNKNOWN:
                right[key].append(float(seen.logits[key][0].argmax() == getattr(example, key)))
        _name_single(seen, example, right, errors)
    return {key: float(np.mean(values)) for key, values in right.items()} | {"area error": float(np.mean(errors))}


def _name_single(seen: Seen, example: Example, right: dict[str, list[float]], errors: list[float]) -> None:
    """Where exactly one thing is there: whether its colour and shape are those of the largest area."""
    single = (example.present[:, 0] == 1) & (example.present[:, 1] == 0)
    areas = seen.areas[0].numpy()
    truth = example.cells.sum(1).clip(max=255).mean((1, 2)) / 255
    right["colour"] += (areas.sum(2).argmax(1) == example.colour[:, 0])[single].astype(float).tolist()
    right["shape"] += (areas.sum(1).argmax(1) == example.shape[:, 0])[single].astype(float).tolist()
    errors += np.abs(areas.sum((1, 2)) / np.maximum(truth, 1e-4) - 1)[single].tolist()
