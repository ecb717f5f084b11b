# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights of the chains: what each chain is good at, what it needs from the hub, under which licence, what is here.

The buttons download; the dialog behind them says what is to be accepted first.
"""

from __future__ import annotations

from typing import Any

import bpy

from ...protocol.messages import ChainInfo
from ...protocol.weights import FAILED, RUNNING, ChainWeights, FetchState, WeightsPart
from ...storyboard.download_size import amount, fraction, sentence, summary
from ..session.runtime import RUNTIME
from .sentences import draw_problem, draw_sentence

CHAIN = "confiner_chain"
"""Under this name a button's operator finds in its context which chain it is drawn for, before it is pressed."""


class WeightsPanel:
    bl_label = "Weights"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, width = self.layout, context.region.width
        if not RUNTIME.weights:
            draw_sentence(layout, "Connect to the sidecar to see what its chains need.", width, "INFO")
            return
        for name, weights in RUNTIME.weights.items():
            if name in RUNTIME.chains:
                _draw_chain(layout.box(), RUNTIME.chains[name], weights, width)


def draw_terms(layout: Any, missing: list[WeightsPart], choice: Any, width: int) -> None:
    """What a person accepts before a download; `choice` has the properties `accept` and `pickled`."""
    sizes = [part.size for part in missing]
    if None not in sizes:
        layout.label(text=f"About {amount(sum(sizes))} are downloaded into the hub's cache.", icon="IMPORT")
    terms = _by_repository([part for part in missing if not part.accepted])
    for repository, part in terms.items():
        column = layout.column(align=True)
        column.label(text=f"{repository}: {part.licence}", icon="COPY_ID")
        draw_sentence(column, part.terms, width, "BLANK1")
        column.operator("wm.url_open", text="Read It", icon="URL").url = f"https://huggingface.co/{repository}"
    if terms:
        layout.prop(choice, "accept")
    for part in missing:
        if part.pickled:
            text = f"{part.pickled} is a pickled file, which can carry code. It is read for its weights alone, once."
            draw_sentence(layout, text, width, "ERROR")
            layout.prop(choice, "pickled")


def _draw_chain(box: Any, chain: ChainInfo, weights: ChainWeights, width: int) -> None:
    there = not weights.missing()
    box.label(text=chain.title, icon="CHECKMARK" if there else "IMPORT")
    draw_sentence(box, chain.description, width)
    for repository, parts in _grouped(weights.parts).items():
        _draw_repository(box, repository, parts, width)
    if not weights.parts:
        draw_sentence(box, summary(weights), width)
        return
    box.context_string_set(CHAIN, chain.name)
    fetch = RUNTIME.fetches.get(chain.name)
    split = box.split(factor=0.7, align=True)
    cell = split.row(align=True)
    cell.enabled = not there
    cell.operator("confiner.fetch_weights", text="Download", icon="IMPORT").chain = chain.name
    split.operator("confiner.stop_fetching", icon="X").chain = chain.name
    _draw_progress(box, weights, fetch)
    if weights.step_parts:
        _draw_steps(box, weights, width)
    if fetch is not None and fetch.state == FAILED and fetch.problem is not None:
        draw_problem(box, fetch.problem.message, fetch.problem.remedy, width)


def _draw_steps(box: Any, weights: ChainWeights, width: int) -> None:
    """An expert that was distilled for each number of steps has weights for each; a shot may ask for any of them."""
    draw_sentence(box, "For other numbers of control steps:", width)
    row = box.row(align=True)
    for part in weights.step_parts:
        cell = row.row(align=True)
        cell.enabled = not part.there and not weights.missing()
        button = cell.operator(
            "confiner.fetch_weights", text=str(part.steps), icon="CHECKMARK" if part.there else "IMPORT"
        )
        button.chain, button.control_steps = weights.chain, part.steps


def _draw_progress(box: Any, weights: ChainWeights, fetch: FetchState | None) -> None:
    """How much is here; while a download runs, of which file."""
    under_way = fetch is not None and fetch.state == RUNNING
    there = 0.0 if weights.missing() else 1.0
    box.progress(
        factor=fraction(fetch) if under_way else there, text=sentence(fetch) if under_way else summary(weights)
    )
    caption = box.row()
    caption.active = False
    caption.label(text=fetch.file if under_way else "")


def _draw_repository(box: Any, repository: str, parts: list[WeightsPart], width: int) -> None:
    here = all(part.there for part in parts)
    sizes = [part.size for part in parts if part.size]
    size = f", about {amount(sum(sizes))}" if sizes else ""
    licence = parts[0].licence or "licence: see its page"
    column = box.column(align=True)
    draw_sentence(column, f"{repository}{size}", width, "CHECKMARK" if here else "RADIOBUT_OFF")
    draw_sentence(column, f"{licence}; {parts[0].terms}" if parts[0].terms else licence, width, "BLANK1")


def _grouped(parts: list[WeightsPart]) -> dict[str, list[WeightsPart]]:
    found: dict[str, list[WeightsPart]] = {}
    for part in parts:
        found.setdefault(part.repository, []).append(part)
    return found


def _by_repository(parts: list[WeightsPart]) -> dict[str, WeightsPart]:
    return {repository: parts[0] for repository, parts in _grouped(parts).items()}
