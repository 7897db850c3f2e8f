# SPDX-License-Identifier: Apache-2.0
"""Tests find the package beside them, installed or not."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
