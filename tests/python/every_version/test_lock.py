"""Locks of the synchronous and the asynchronous client."""

import asyncio
import threading
import time
import unittest

from dflockd_client import AsyncDistributedLock, SyncDistributedLock
from raw import ask, is_held, waiters
from service import at
from wait import together, until, until_async


class SyncLock(unittest.TestCase):
    def test_a_lock_is_held_inside_the_block_and_free_behind_it(self):
        with SyncDistributedLock("sync-block", **at()) as lock:
            self.assertRegex(lock.token, "^[0-9a-f]{32}$")
            self.assertEqual(lock.lease, 33)
            self.assertEqual(ask("l", "sync-block", "0"), "timeout")
        until(lambda: ask("l", "sync-block", "0") != "timeout")

    def test_an_error_in_the_block_frees_the_lock(self):
        with self.assertRaises(KeyError), SyncDistributedLock("sync-error", **at()):
            raise KeyError
        until(lambda: not is_held("sync-error"))

    def test_a_lock_that_stays_held_times_out(self):
        with SyncDistributedLock("sync-timeout", **at()):
            other = SyncDistributedLock("sync-timeout", acquire_timeout_s=1, **at())
            started = time.monotonic()
            self.assertFalse(other.acquire())
            self.assertGreaterEqual(time.monotonic() - started, 1)
            self.assertFalse(SyncDistributedLock("sync-timeout", acquire_timeout_s=0, **at()).acquire())

    def test_a_lock_can_be_taken_and_released_again_and_again(self):
        tokens = set()
        lock = SyncDistributedLock("sync-again", **at())
        for _ in range(20):
            self.assertTrue(lock.acquire())
            tokens.add(lock.token)
            self.assertTrue(lock.release())
        self.assertEqual(len(tokens), 20)

    def test_closing_without_a_release_frees_the_lock(self):
        lock = SyncDistributedLock("sync-close", **at())
        self.assertTrue(lock.acquire())
        lock.close()
        until(lambda: not is_held("sync-close"))

    def test_a_short_lease_is_renewed_in_the_background(self):
        lock = SyncDistributedLock("sync-renew", lease_ttl_s=2, **at())
        self.assertTrue(lock.acquire())
        self.assertEqual(lock.lease, 2)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            self.assertEqual(ask("l", "sync-renew", "0"), "timeout")
            time.sleep(0.1)
        self.assertTrue(lock.release())

    def test_threads_take_turns_in_the_order_that_they_came(self):
        order = []
        threads = []

        def work(n):
            with SyncDistributedLock("sync-fifo", acquire_timeout_s=60, **at()):
                order.append(n)

        with SyncDistributedLock("sync-fifo", **at()):
            for n in range(8):
                threads.append(threading.Thread(target=work, args=[n]))
                threads[-1].start()
                until(lambda: waiters("sync-fifo") == n + 1)
        for thread in threads:
            thread.join(60)
        self.assertEqual(order, list(range(8)))

    def test_threads_exclude_each_other(self):
        inside = 0
        most = 0

        def work():
            nonlocal inside, most
            for _ in range(10):
                with SyncDistributedLock("sync-exclude", acquire_timeout_s=60, **at()):
                    inside += 1
                    most = max(most, inside)
                    time.sleep(0.001)
                    inside -= 1

        together(8, work)
        self.assertEqual((most, inside), (1, 0))


class AsyncLock(unittest.IsolatedAsyncioTestCase):
    async def test_a_lock_is_held_inside_the_block_and_free_behind_it(self):
        async with AsyncDistributedLock("async-block", **at()) as lock:
            self.assertRegex(lock.token, "^[0-9a-f]{32}$")
            self.assertEqual(ask("l", "async-block", "0"), "timeout")
        await until_async(lambda: ask("l", "async-block", "0") != "timeout")

    async def test_a_lock_that_stays_held_times_out(self):
        async with AsyncDistributedLock("async-timeout", **at()):
            other = AsyncDistributedLock("async-timeout", acquire_timeout_s=0, **at())
            self.assertFalse(await other.acquire())

    async def test_a_lock_can_be_taken_and_released_again_and_again(self):
        lock = AsyncDistributedLock("async-again", **at())
        for _ in range(20):
            self.assertTrue(await lock.acquire())
            self.assertTrue(await lock.release())

    async def test_a_short_lease_is_renewed_in_the_background(self):
        lock = AsyncDistributedLock("async-renew", lease_ttl_s=2, **at())
        self.assertTrue(await lock.acquire())
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            self.assertEqual(ask("l", "async-renew", "0"), "timeout")
            await asyncio.sleep(0.1)
        self.assertTrue(await lock.release())

    async def test_tasks_take_turns_in_the_order_that_they_came(self):
        order = []
        tasks = []

        async def work(n):
            async with AsyncDistributedLock("async-fifo", acquire_timeout_s=60, **at()):
                order.append(n)

        async with AsyncDistributedLock("async-fifo", **at()):
            for n in range(20):
                tasks.append(asyncio.create_task(work(n)))
                await until_async(lambda: waiters("async-fifo") == n + 1)
        await asyncio.gather(*tasks)
        self.assertEqual(order, list(range(20)))

    async def test_a_cancelled_task_leaves_the_queue(self):
        async with AsyncDistributedLock("async-cancel", **at()) as holder:
            waiter = AsyncDistributedLock("async-cancel", acquire_timeout_s=60, **at())
            task = asyncio.create_task(waiter.acquire())
            await until_async(lambda: waiters("async-cancel") == 1)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            await waiter.aclose()
            await until_async(lambda: waiters("async-cancel") == 0)
            self.assertIsNotNone(holder.token)


if __name__ == "__main__":
    unittest.main()
