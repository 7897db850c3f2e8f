# SPDX-License-Identifier: Apache-2.0
"""A decoder of fmc streams written from docs/format.md alone: slow, small, independent of the library."""
