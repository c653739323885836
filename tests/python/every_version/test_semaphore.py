"""Semaphores of the synchronous and the asynchronous client."""

import asyncio
import threading
import time
import unittest

from dflockd_client import AsyncDistributedSemaphore, SyncDistributedSemaphore
from raw import stats
from service import at
from wait import together


def slots(key):
    """How many slots of a semaphore are held."""
    return sum(semaphore["holders"] for semaphore in stats()["semaphores"] if semaphore["key"] == key)


class SyncSemaphore(unittest.TestCase):
    def test_as_many_hold_it_as_its_limit_says(self):
        held = [SyncDistributedSemaphore("sync-slots", limit=3, **at()) for _ in range(3)]
        for semaphore in held:
            self.assertTrue(semaphore.acquire())
        self.assertEqual(slots("sync-slots"), 3)
        fourth = SyncDistributedSemaphore("sync-slots", limit=3, acquire_timeout_s=0, **at())
        self.assertFalse(fourth.acquire())
        self.assertTrue(held[1].release())
        self.assertTrue(fourth.acquire())
        for semaphore in [held[0], held[2], fourth]:
            self.assertTrue(semaphore.release())
        self.assertEqual(slots("sync-slots"), 0)

    def test_another_limit_is_an_error(self):
        with SyncDistributedSemaphore("sync-mismatch", limit=2, **at()):
            with self.assertRaises(RuntimeError):
                SyncDistributedSemaphore("sync-mismatch", limit=3, **at()).acquire()

    def test_a_short_lease_is_renewed_in_the_background(self):
        with SyncDistributedSemaphore("sync-slot-renew", limit=1, lease_ttl_s=2, **at()):
            deadline = time.monotonic() + 4
            while time.monotonic() < deadline:
                self.assertEqual(slots("sync-slot-renew"), 1)
                time.sleep(0.1)

    def test_never_more_threads_are_inside_than_the_limit(self):
        guard = threading.Lock()
        inside = 0
        most = 0

        def work():
            nonlocal inside, most
            for _ in range(5):
                with SyncDistributedSemaphore("sync-crowd", limit=3, acquire_timeout_s=60, **at()):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                    time.sleep(0.002)
                    with guard:
                        inside -= 1

        together(10, work)
        self.assertEqual(inside, 0)
        self.assertLessEqual(most, 3)
        self.assertGreater(most, 1)


class AsyncSemaphore(unittest.IsolatedAsyncioTestCase):
    async def test_never_more_tasks_are_inside_than_the_limit(self):
        inside = 0
        most = 0

        async def work():
            nonlocal inside, most
            async with AsyncDistributedSemaphore("async-crowd", limit=4, acquire_timeout_s=60, **at()):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.01)
                inside -= 1

        await asyncio.gather(*(work() for _ in range(40)))
        self.assertEqual((inside, most), (0, 4))

    async def test_a_full_semaphore_times_out(self):
        async with AsyncDistributedSemaphore("async-full", limit=1, **at()):
            other = AsyncDistributedSemaphore("async-full", limit=1, acquire_timeout_s=0, **at())
            self.assertFalse(await other.acquire())


if __name__ == "__main__":
    unittest.main()
