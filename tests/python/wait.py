"""Waiting for events, with a deadline."""

import asyncio
import time

PATIENCE_S = 30


def until(holds):
    """Polls until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s in vain")
        time.sleep(0.005)


async def until_async(holds):
    """Polls until something holds, without holding up the event loop."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s in vain")
        await asyncio.sleep(0.005)
