"""The statistics, as this release reads them."""

import unittest

import dflockd_client as d
from service import HOST, SERVER, at


class SyncStats(unittest.TestCase):
    def test_a_held_lock_is_shown(self):
        connection = d._sync.open_conn(HOST, SERVER[1], ssl_context=None, connect_timeout_s=10)
        self.addCleanup(connection.close)
        with d.SyncDistributedLock("stats-2.1", **at()):
            found = d._sync.stats(connection)
        self.assertGreaterEqual(found["connections"], 2)
        self.assertIn("stats-2.1", [lock["key"] for lock in found["locks"]])


class AsyncStats(unittest.IsolatedAsyncioTestCase):
    async def test_every_list_is_there(self):
        connection = await d._async.open_conn(HOST, SERVER[1], ssl_context=None, connect_timeout_s=10)
        found = await d._async.stats(connection)
        for name in ["locks", "semaphores", "idle_locks", "idle_semaphores"]:
            self.assertIsInstance(found[name], list)
        await connection.close()


if __name__ == "__main__":
    unittest.main()
