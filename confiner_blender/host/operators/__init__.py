# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do. An operator reads what it was called for, calls, and reports: a few lines each."""

from . import (
    job_operators as generating,
)
from . import (
    prompt_operators as prompting,
)
from . import (
    sidecar_operators as linking,
)
from . import (
    storyboard_operators as storyboarding,
)
from . import (
    take_operators as taking,
)
from . import (
    view_operators as picturing,
)
from . import (
    weights_operators as fetching,
)

CLASSES = (
    *storyboarding.CLASSES,
    *prompting.CLASSES,
    *generating.CLASSES,
    *taking.CLASSES,
    *picturing.CLASSES,
    *linking.CLASSES,
    *fetching.CLASSES,
)
