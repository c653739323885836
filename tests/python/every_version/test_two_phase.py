"""Taking a place in line first, and waiting for the turn later."""

import asyncio
import threading
import unittest

from dflockd_client import (
    AsyncDistributedLock,
    AsyncDistributedSemaphore,
    SyncDistributedLock,
    SyncDistributedSemaphore,
)
from raw import waiters
from service import at
from wait import until


class SyncTwoPhase(unittest.TestCase):
    def test_a_free_lock_is_acquired_at_once(self):
        lock = SyncDistributedLock("sync-two-free", **at())
        self.assertEqual(lock.enqueue(), "acquired")
        self.assertTrue(lock.wait())
        self.assertTrue(lock.release())

    def test_a_held_lock_is_waited_for_in_order(self):
        holder = SyncDistributedLock("sync-two-order", **at())
        self.assertTrue(holder.acquire())
        first = SyncDistributedLock("sync-two-order", **at())
        second = SyncDistributedLock("sync-two-order", **at())
        self.assertEqual([first.enqueue(), second.enqueue()], ["queued", "queued"])
        self.assertEqual(waiters("sync-two-order"), 2)
        order = []

        def wait(lock, name):
            self.assertTrue(lock.wait(30))
            order.append(name)
            self.assertTrue(lock.release())

        threads = [
            threading.Thread(target=wait, args=[second, "second"]),
            threading.Thread(target=wait, args=[first, "first"]),
        ]
        for thread in threads:
            thread.start()
        self.assertTrue(holder.release())
        for thread in threads:
            thread.join(30)
        self.assertEqual(order, ["first", "second"])

    def test_a_wait_that_times_out_leaves_the_queue(self):
        with SyncDistributedLock("sync-two-timeout", **at()):
            other = SyncDistributedLock("sync-two-timeout", **at())
            self.assertEqual(other.enqueue(), "queued")
            self.assertFalse(other.wait(1))
            until(lambda: waiters("sync-two-timeout") == 0)

    def test_a_semaphore_does_the_same(self):
        holder = SyncDistributedSemaphore("sync-two-slots", limit=1, **at())
        self.assertEqual(holder.enqueue(), "acquired")
        other = SyncDistributedSemaphore("sync-two-slots", limit=1, **at())
        self.assertEqual(other.enqueue(), "queued")
        self.assertTrue(holder.release())
        self.assertTrue(other.wait(30))
        self.assertTrue(other.release())


class AsyncTwoPhase(unittest.IsolatedAsyncioTestCase):
    async def test_a_held_lock_is_waited_for(self):
        holder = AsyncDistributedLock("async-two", **at())
        self.assertEqual(await holder.enqueue(), "acquired")
        other = AsyncDistributedLock("async-two", **at())
        self.assertEqual(await other.enqueue(), "queued")
        waiting = asyncio.create_task(other.wait(30))
        self.assertTrue(await holder.release())
        self.assertTrue(await waiting)
        self.assertTrue(await other.release())

    async def test_a_semaphore_does_the_same(self):
        semaphore = AsyncDistributedSemaphore("async-two-slots", limit=2, **at())
        self.assertEqual(await semaphore.enqueue(), "acquired")
        self.assertTrue(await semaphore.wait())
        self.assertTrue(await semaphore.release())


if __name__ == "__main__":
    unittest.main()
