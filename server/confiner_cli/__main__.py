# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m confiner_cli` is the `confiner` program."""

import sys

from .main import main

sys.exit(main())
