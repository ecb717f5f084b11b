# SPDX-License-Identifier: GPL-3.0-or-later
"""How the bundled experts are made: autoencoder, text encoder, image network, and the three experts from it."""
