# SPDX-License-Identifier: GPL-3.0-or-later
"""The real sidecar with the worker double: what `confiner serve` does, but for the worker's command."""

import argparse
import sys
from pathlib import Path

from confiner_server.process.listener import run
from confiner_server.process.settings import Settings

parser = argparse.ArgumentParser()
parser.add_argument("--chains", type=Path, required=True)
parser.add_argument("--grace", type=float, default=60.0)
parser.add_argument("--parent", type=int)
parser.add_argument("--stay", action="store_true")
parser.add_argument("--device", default="auto")
args = parser.parse_args()
double = Path(__file__).with_name("double_worker.py")
run(Settings(args.grace, args.parent, args.stay, args.device, args.chains, (sys.executable, str(double))))
