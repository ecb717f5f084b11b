# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast things are. `confiner bench` runs what is here."""
