"""Waiting for events, with a deadline."""

import asyncio
import threading
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


def together(count, work):
    """Does the same work in several threads at once, and waits for all of them."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE_S)
