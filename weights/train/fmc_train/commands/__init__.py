# SPDX-License-Identifier: Apache-2.0
"""One file a command: arguments(parser) and run(options)."""
