# SPDX-License-Identifier: GPL-3.0-or-later
"""Two independent judges that say what clips show. Trained on the world's own clips; no expert ever sees them.

seen       what a judge says, in one form for both
painter    the first: marks every thing's area in every frame, then names it
asker      the second: asks each frame for its leftmost and its rightmost thing
examples   clips with known answers, also such whose things vanish, fade or turn into others
training   both judges' stages
verdict    from a judge's answers to what a person asks: is it there, is it right, does it stay the same
"""
