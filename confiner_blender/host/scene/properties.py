# SPDX-License-Identifier: GPL-3.0-or-later
"""The author's data, kept in the .blend and undoable: `scene.confiner` is the storyboard, with shots and takes.

Nothing here says what is under way (see `runtime`), and nothing here is secret.
"""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from . import rule_menu

DEFAULT_CHAIN = "bundled"

HOLDS = [
    (
        "RATE",
        "By Rate",
        "Hold each frame so that the action keeps its speed: 8 fps in a scene of 24 come out on threes",
    ),
    ("ONES", "Ones", "A new frame on every frame of the timeline"),
    ("TWOS", "Twos", "A new frame on every second frame of the timeline"),
    ("THREES", "Threes", "A new frame on every third frame of the timeline"),
]
STRUCTURES = [
    ("NONE", "Prompt", "The control expert lays out the shot from the prompt alone", "OUTLINER_OB_FONT", 0),
    ("CAMERA", "Camera", "The scene, seen through its camera, lays out the shot", "VIEW_CAMERA", 1),
    ("STRIP", "Strip", "An image or movie strip lays out the shot", "SEQ_SEQUENCER", 2),
]


class CONFINER_PG_take(bpy.types.PropertyGroup):
    """One immutable generated attempt at a shot. Its frames and its record stand in `folder`."""

    uuid: StringProperty()
    folder: StringProperty(description="Where the frames stand, relative to the .blend once that is saved")
    arrived: BoolProperty(description="Its job has ended, and this file has seen that")
    shared: BoolProperty(description="The take belongs to another storyboard, which this one was copied from")
    length: IntProperty()
    fps: FloatProperty()
    hold: EnumProperty(items=HOLDS)
    scene_fps: FloatProperty()
    num_frames: IntProperty()
    width: IntProperty()
    height: IntProperty()
    structure: StringProperty(description="What laid out the shot; empty in takes of an older version")
    structure_strip: StringProperty()


class CONFINER_PG_stretch(bpy.types.PropertyGroup):
    """A later prompt of a shot, and from which of its frames on it holds."""

    start: IntProperty(
        name="From", description="The shot's frame from which on this is seen; its first frame is 1", default=25, min=2
    )
    prompt: StringProperty(name="Prompt", description="What is seen from there on", options={"TEXTEDIT_UPDATE"})


class CONFINER_PG_shot(bpy.types.PropertyGroup):
    """One intended piece of the storyboard."""

    uuid: StringProperty()
    prompt: StringProperty(
        name="Prompt", description="What is seen, and how it and the camera move", options={"TEXTEDIT_UPDATE"}
    )
    negative_prompt: StringProperty(name="Negative", description="What must not be seen")
    stretches: CollectionProperty(type=CONFINER_PG_stretch)
    crossover: IntProperty(
        name="Cross-Over",
        description="Frames on the timeline in which one prompt gives way to the next; 0: at once",
        default=48,
        min=0,
        soft_max=240,
        max=1024,
    )
    length: IntProperty(name="Length", description="Frames on the timeline", default=48, min=1, soft_max=480)
    fps: FloatProperty(
        name="Clip Rate", description="Frames per second that the experts think in", default=8, min=1, max=60, step=100
    )
    hold: EnumProperty(name="Hold", description="How long each frame of the clip stays on the timeline", items=HOLDS)
    width: IntProperty(name="Width", default=64, min=16, max=4096, step=8, subtype="PIXEL")
    height: IntProperty(name="Height", default=64, min=16, max=4096, step=8, subtype="PIXEL")
    seed: IntProperty(name="Seed", description="The same seed and settings give the same take", min=0)
    structure: EnumProperty(name="Structure", description="What lays out the shot", items=STRUCTURES)
    structure_strip: StringProperty(
        name="Strip", description="The image, movie, scene or meta strip that lays out the shot"
    )
    freedom_auto: BoolProperty(
        name="Automatic", description="Let the chain say how far the result may leave its structure", default=True
    )
    freedom: IntProperty(
        name="Freedom",
        description="How far the result may leave its structure: the timestep where refinement starts",
        default=400,
        min=1,
        max=999,
        subtype="FACTOR",
    )
    rule: EnumProperty(name="Rule", description="Which experts refine the structure", items=rule_menu.items)
    control_steps: IntProperty(
        name="Control", description="Steps of the control expert; 0: as the chain has it", min=0, soft_max=20, max=100
    )
    refine_steps: IntProperty(
        name="Refine", description="Steps of refinement; 0: as the chain has it", min=0, soft_max=30, max=100
    )
    chain: StringProperty(name="Chain", description="Expert chain of this shot; empty: the storyboard's")
    takes: CollectionProperty(type=CONFINER_PG_take)
    active_take: StringProperty(description="The take on the timeline")
    choice: IntProperty(description="How often the author has chosen a take, counted along the history")
    removed: StringProperty(description="Ids of the takes that the author removed, or left where they were found")


class CONFINER_PG_storyboard(bpy.types.PropertyGroup):
    """A scene's ordered shots."""

    uuid: StringProperty()
    owner: StringProperty(description="Name of the scene that this storyboard belongs to")
    chain: StringProperty(name="Chain", description="Expert chain of every shot without its own", default=DEFAULT_CHAIN)
    shots: CollectionProperty(type=CONFINER_PG_shot)
    index: IntProperty(name="Active Shot")
    moves: IntProperty(description="Tells a state that undo brought back from one that it left as it was")


CLASSES = (CONFINER_PG_take, CONFINER_PG_stretch, CONFINER_PG_shot, CONFINER_PG_storyboard)


def attach() -> None:
    """Give every scene a storyboard."""
    bpy.types.Scene.confiner = PointerProperty(type=CONFINER_PG_storyboard)


def detach() -> None:
    del bpy.types.Scene.confiner
