# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge: says what a clip shows. Trained on the world's real clips only; training and sampling never see it.

network    the classifier
training   `python -m confiner_lab.judge.training`, minutes on one core
verdict    loads the shipped weights and judges clips
"""
