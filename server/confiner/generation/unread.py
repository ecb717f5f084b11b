# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words of a clip's prompts its experts do not read, in the sentences that program and panel show.

Known once the chain is loaded, by the very tokenizers that cut: a record of the take keeps it.
"""

from __future__ import annotations

from ..loading.chain import Chain
from ..method.evaluations import evaluations
from ..method.rules import RULES
from .plan import Plan
from .request import ClipRequest

SHOWN = 160
"""Characters of unread text that a sentence shows, at most."""


def unread_words(request: ClipRequest, chain: Chain, plan: Plan) -> tuple[str, ...]:
    """A sentence for each prompt that is not read to its end by every expert that takes part; none if all are."""
    plotted = request.structure is None
    prompts = [("the prompt", request.prompt)]
    prompts += [(f"the prompt from frame {each.start} on", each.prompt) for each in request.stretches]
    found = [_told(name, text, _unread(text, _asked(request, plan), chain, plotted)) for name, text in prompts]
    guided = [role for role in _asked(request, plan) if chain.experts[role].spec.guided]
    negative = request.negative_prompt
    found.append(_told("the negative prompt", negative, _unread(negative, guided, chain, plotted)))
    return tuple(sentence for sentence in found if sentence)


def _asked(request: ClipRequest, plan: Plan) -> list[str]:
    """The experts that take part, in the order in which a clip meets them."""
    steps = range(plan.refine_steps)
    asked = {"control"} if request.structure is None else set()
    asked |= {
        role for k in steps for role, count in evaluations(RULES.find(plan.rule), k, plan.refine_steps).items() if count
    }
    return [role for role in ("control", "spatial", "temporal") if role in asked]


def _unread(prompt: str, roles: list[str], chain: Chain, plotted: bool) -> dict[str, list[str]]:
    """What is left unread, with those experts that leave just that; an empty text for those that read all."""
    left: dict[str, list[str]] = {}
    for role in roles:
        read = chain.experts[role].reads(prompt, moments=plotted)
        left.setdefault(prompt[len(read) :].strip(), []).append(role)
    return left


def _told(name: str, prompt: str, left: dict[str, list[str]]) -> str:
    cut = {text: roles for text, roles in left.items() if text}
    if not cut:
        return ""
    whole = len(left) == 1
    clauses = [f"{'no expert reads' if whole else _experts(roles)} {_shown(text)}" for text, roles in cut.items()]
    return f"{name} is too long to be read whole: {'; '.join(clauses)}"


def _experts(roles: list[str]) -> str:
    return (
        f"the {' and '.join(roles)} experts do not read" if len(roles) > 1 else f"the {roles[0]} expert does not read"
    )


def _shown(text: str) -> str:
    return f"“{text}”" if len(text) <= SHOWN else f"“{text[:SHOWN].rstrip()} …”, {len(text)} letters"
