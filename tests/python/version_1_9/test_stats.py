"""The statistics, as this release reads them."""

import asyncio
import socket
import unittest

from dflockd_client import SyncDistributedLock, client, sync_client
from service import HOST, SERVER, at


class SyncStats(unittest.TestCase):
    def test_a_held_lock_is_shown(self):
        with (
            SyncDistributedLock("stats-1.9", **at()),
            socket.create_connection(SERVER) as connection,
            connection.makefile("r", encoding="utf-8", newline="\n") as answers,
        ):
            found = sync_client.stats(connection, answers)
            self.assertGreaterEqual(found["connections"], 2)
            self.assertIn("stats-1.9", [lock["key"] for lock in found["locks"]])


class AsyncStats(unittest.IsolatedAsyncioTestCase):
    async def test_every_list_is_there(self):
        reader, writer = await asyncio.open_connection(HOST, SERVER[1])
        found = await client.stats(reader, writer)
        for name in ["locks", "semaphores", "idle_locks", "idle_semaphores"]:
            self.assertIsInstance(found[name], list)
        writer.close()
        await writer.wait_closed()


if __name__ == "__main__":
    unittest.main()
