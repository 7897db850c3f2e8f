# SPDX-License-Identifier: Apache-2.0
"""Data, models, training and export of the networks of fmc. Start at README.md one folder up."""
