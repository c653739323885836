"""A daemon that asks for a secret first."""

import unittest

from dflockd_client import AsyncDistributedLock, SyncDistributedLock
from service import GUARDED, SECRET, at


class SyncAuth(unittest.TestCase):
    def test_the_right_secret_lets_in(self):
        with SyncDistributedLock("sync-auth", **at(GUARDED, auth_token=SECRET)) as lock:
            self.assertIsNotNone(lock.token)

    def test_a_wrong_secret_or_none_does_not(self):
        for options in [{"auth_token": "wrong"}, {}]:
            with self.subTest(options), self.assertRaises((PermissionError, RuntimeError)):
                SyncDistributedLock("sync-auth-wrong", **at(GUARDED, **options)).acquire()


class AsyncAuth(unittest.IsolatedAsyncioTestCase):
    async def test_the_right_secret_lets_in(self):
        async with AsyncDistributedLock("async-auth", **at(GUARDED, auth_token=SECRET)) as lock:
            self.assertIsNotNone(lock.token)

    async def test_a_wrong_secret_does_not(self):
        lock = AsyncDistributedLock("async-auth-wrong", **at(GUARDED, auth_token="wrong"))
        with self.assertRaises((PermissionError, RuntimeError)):
            await lock.acquire()


if __name__ == "__main__":
    unittest.main()
