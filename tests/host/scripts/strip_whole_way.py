"""A ball that crosses the picture lays out a shot: as a strip, in a scene not in the window, with a real sidecar."""

import bpy
import numbered
import stage

stage.enable()
stage.use_sidecar()
runtimes = stage.module("host.session.runtime")
runtime = runtimes.RUNTIME
board = bpy.context.scene
paths = numbered.write_ball(stage.FOLDER / "source", 16)
numbered.image_strip(board, paths, 1)
shot = stage.add_shot(prompt="a red sphere moves right on grass at noon", length=16, fps=board.render.fps, hold="ONES",
                      structure="STRIP", structure_strip="layout", seed=3)  # fmt: skip
board.frame_set(9)
bpy.ops.confiner.generate()
bpy.context.window.scene = bpy.data.scenes.new("Elsewhere")
stage.pump_until(lambda: not runtimes.busy(), 200)
job = next(iter(runtime.jobs.values()))
runtime.session.send(stage.module("protocol.messages").Shutdown())
stage.pump_until(lambda: runtime.link.state.name == "CLOSED", 10)
stage.report(
    state=job.progress.state.name,
    problem=str(job.progress.problem),
    source=[numbered.ball_in(path) for path in paths],
    structure=[numbered.ball_in(path) for path in sorted(job.folder.glob("structure_*.png"))],
    clip=[numbered.ball_in(path) for path in sorted(job.folder.glob("frame_*.png"))],
)
