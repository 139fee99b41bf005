# SPDX-License-Identifier: Apache-2.0
"""How numbers are written, wherever a report has them."""


def number(value):
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio(value):
    """Two digits that mean something, also for a hundredth."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def count_of(amount, noun):
    return f"{amount} {noun}" + ("" if amount == 1 else "s")
