# SPDX-License-Identifier: Apache-2.0
"""The parts of bench/compare.py: fields and layouts in, measured rows out, tables and plots of them."""
