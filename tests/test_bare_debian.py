# SPDX-License-Identifier: GPL-3.0-or-later
"""README's two commands on a Debian that has only Python, git and an ordinary user, after the line that they print.

python3 dev.py test tests/test_bare_debian.py -m slow     as root, with debootstrap and the network; 5 GB for a while
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOME = Path("home/animator")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PARTS = ["tests/protocol", "tests/storyboard", "tests/host/test_interruptions.py", "tests/client/test_installation.py"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("debootstrap"),
        reason="makes rooms as root with debootstrap",
    ),
]


@pytest.fixture(params=["bookworm", "trixie"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The root of a bare Debian, whose user has a clone of what is committed here."""
    room = tmp_path / request.param
    needed = "--include=python3,git,ca-certificates"
    subprocess.run(["debootstrap", "--variant=minbase", needed, request.param, room], check=True)
    for of_this_network in ("/etc/resolv.conf", CERTIFICATES):
        shutil.copy(of_this_network, f"{room}{of_this_network}")
    inside(room, "root", "useradd --create-home --shell /bin/bash animator")
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, room / HOME / "confiner"], check=True)
    inside(room, "root", "chown -R animator: /home/animator")
    yield room
    shutil.rmtree(room)


def inside(room: Path, user: str, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line in the room, in a space of its own for mounts, so that none is left behind."""
    wheels = os.environ.get("PIP_FIND_LINKS", "")
    mounts = [f"mount --rbind /{folder} {room}/{folder}" for folder in ("dev", "proc")]
    if wheels:
        mounts += [f"mkdir -p {room}{wheels}", f"mount --bind {wheels} {room}{wheels}"]
    home = "/root" if user == "root" else f"/{HOME}"
    variables = (
        f"env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME={home} CI=true PIP_CERT={CERTIFICATES} PIP_FIND_LINKS={wheels}"
    )
    as_user = f"chroot --userspec={user} {room} {variables} bash -c"
    script = " && ".join([*mounts, f'exec {as_user} "$1"'])
    return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", line], capture_output=True, text=True)


def test_the_two_commands_hold_after_the_line_that_they_print(room: Path) -> None:
    bare = inside(room, "animator", "cd ~/confiner && python3 dev.py demo")
    assert bare.returncode == 1
    said, line = bare.stderr.strip().splitlines()
    assert "On Debian or Ubuntu, paste:" in said

    pasted = inside(room, "root", line.replace("sudo ", ""))
    assert pasted.returncode == 0, pasted.stdout + pasted.stderr

    demo = inside(room, "animator", "cd ~/confiner && python3 dev.py demo")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert (room / HOME / "confiner" / "demo-out" / "contact-sheet.png").stat().st_size > 100_000

    tested = inside(room, "animator", f"cd ~/confiner && python3 dev.py test {' '.join(PARTS)}")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert inside(room, "animator", "cd ~/confiner && git status --porcelain").stdout == ""
