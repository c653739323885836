"""The fence inside a token."""

import unittest

from dflockd_client import (
    AsyncDistributedLock,
    SyncDistributedLock,
    SyncDistributedSemaphore,
    fence_from_token,
)
from service import at


class Fences(unittest.IsolatedAsyncioTestCase):
    def test_fences_rise_with_every_grant(self):
        last = 0
        for _ in range(50):
            with SyncDistributedLock("fences", **at()) as lock:
                fence = fence_from_token(lock.token)
            self.assertGreater(fence, last)
            last = fence

    def test_every_slot_of_a_semaphore_has_its_own(self):
        held = [SyncDistributedSemaphore("fences-slots", limit=5, **at()) for _ in range(5)]
        for semaphore in held:
            self.assertTrue(semaphore.acquire())
        fences = [fence_from_token(semaphore.token) for semaphore in held]
        self.assertEqual(fences, sorted(set(fences)))
        for semaphore in held:
            self.assertTrue(semaphore.release())

    async def test_the_asynchronous_client_sees_the_same(self):
        last = 0
        for _ in range(20):
            async with AsyncDistributedLock("fences-async", **at()) as lock:
                fence = fence_from_token(lock.token)
            self.assertGreater(fence, last)
            last = fence


if __name__ == "__main__":
    unittest.main()
