"""Signals, which this is the last release to have."""

import asyncio
import threading
import unittest

from dflockd_client import AsyncSignalConn, SyncSignalConn
from raw import ask, stats
from service import GUARDED, SECRET, SERVER
from wait import until


def take(connection, count):
    """The next signals, as pairs."""
    found = []
    for signal in connection:
        found.append((signal.channel, signal.payload))
        if len(found) == count:
            break
    return found


async def take_async(connection, count):
    """The next signals, as pairs."""
    found = []
    async for signal in connection:
        found.append((signal.channel, signal.payload))
        if len(found) == count:
            break
    return found


class SyncSignals(unittest.TestCase):
    def test_patterns_choose_what_is_heard(self):
        with SyncSignalConn(server=SERVER) as listener, SyncSignalConn(server=SERVER) as sender:
            listener.listen("sync.events.>")
            listener.listen("sync.*.exact")
            self.assertEqual(sender.emit("sync.events.one", "first"), 1)
            self.assertEqual(sender.emit("sync.elsewhere", "unheard"), 0)
            self.assertEqual(sender.emit("sync.x.exact", "second one"), 1)
            expected = [("sync.events.one", "first"), ("sync.x.exact", "second one")]
            self.assertEqual(take(listener, 2), expected)

    def test_a_group_shares(self):
        with (
            SyncSignalConn(server=SERVER) as one,
            SyncSignalConn(server=SERVER) as other,
            SyncSignalConn(server=SERVER) as sender,
        ):
            for member in [one, other]:
                member.listen("sync.jobs", group="workers")
            for n in range(10):
                self.assertEqual(sender.emit("sync.jobs", str(n)), 1)
            heard = take(one, 5) + take(other, 5)
            self.assertEqual(sorted(int(payload) for _, payload in heard), list(range(10)))

    def test_unlisten_ends_it(self):
        with SyncSignalConn(server=SERVER) as listener:
            listener.listen("sync.gone")
            self.assertEqual(ask("signal", "sync.gone", "x"), "ok 1")
            listener.unlisten("sync.gone")
            self.assertEqual(ask("signal", "sync.gone", "x"), "ok 0")

    def test_a_bad_pattern_is_an_error(self):
        with SyncSignalConn(server=SERVER) as listener, self.assertRaises(RuntimeError):
            listener.listen("a.>.b")

    def test_closing_ends_the_iteration_and_the_subscriptions(self):
        listener = SyncSignalConn(server=SERVER)
        listener.connect()
        listener.listen("sync.closing")
        heard = []
        reader = threading.Thread(target=lambda: heard.extend(listener))
        reader.start()
        listener.close()
        reader.join(30)
        self.assertFalse(reader.is_alive())
        self.assertEqual(heard, [])
        until(lambda: all(channel["pattern"] != "sync.closing" for channel in stats()["signal_channels"]))

    def test_the_secret_is_shown_first(self):
        with SyncSignalConn(server=GUARDED, auth_token=SECRET) as connection:
            connection.listen("sync.guarded")
            self.assertEqual(connection.emit("sync.guarded", "x"), 1)
            self.assertEqual(take(connection, 1), [("sync.guarded", "x")])

    def test_a_heartbeat_keeps_it(self):
        with SyncSignalConn(server=SERVER, heartbeat_interval_s=0.05) as listener:
            listener.listen("sync.beating")
            for n in range(50):
                self.assertEqual(ask("signal", "sync.beating", str(n)), "ok 1")
            self.assertEqual([payload for _, payload in take(listener, 50)], [str(n) for n in range(50)])


class AsyncSignals(unittest.IsolatedAsyncioTestCase):
    async def test_patterns_choose_what_is_heard(self):
        async with AsyncSignalConn(server=SERVER) as listener, AsyncSignalConn(server=SERVER) as sender:
            await listener.listen("async.*")
            self.assertEqual(await sender.emit("async.one", "first"), 1)
            self.assertEqual(await sender.emit("async.one.two", "unheard"), 0)
            self.assertEqual(await take_async(listener, 1), [("async.one", "first")])

    async def test_many_listeners_hear_the_same(self):
        listeners = [AsyncSignalConn(server=SERVER) for _ in range(20)]
        for listener in listeners:
            await listener.connect()
            await listener.listen("async.everyone")
        async with AsyncSignalConn(server=SERVER) as sender:
            self.assertEqual(await sender.emit("async.everyone", "hello"), 20)
        heard = await asyncio.gather(*(take_async(listener, 1) for listener in listeners))
        self.assertEqual(heard, [[("async.everyone", "hello")]] * 20)
        for listener in listeners:
            await listener.aclose()


if __name__ == "__main__":
    unittest.main()
