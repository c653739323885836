"""The error that each answer becomes in this release."""

import unittest

import dflockd_client as d
from service import CROWDED, GUARDED, HOST, SERVER, at


def connect(server=SERVER):
    """A bare connection of the client's own making."""
    return d._sync.open_conn(HOST, server[1], ssl_context=None, connect_timeout_s=10)


class Errors(unittest.TestCase):
    def setUp(self):
        self.connection = connect()
        self.addCleanup(self.connection.close)

    def test_a_wait_without_a_place(self):
        with self.assertRaises(d.NotQueuedError):
            d._sync.wait(self.connection, "errors-not-queued", 0)

    def test_a_second_place(self):
        d._sync.enqueue(self.connection, "errors-twice")
        with self.assertRaises(d.AlreadyQueuedError):
            d._sync.enqueue(self.connection, "errors-twice")

    def test_another_limit(self):
        d._sync.sem_acquire(self.connection, "errors-limit", 0, 2)
        with self.assertRaises(d.LimitMismatchError):
            d._sync.sem_acquire(self.connection, "errors-limit", 0, 3)

    def test_a_timeout(self):
        d._sync.acquire(self.connection, "errors-timeout", 0)
        with self.assertRaises(d.DflockdTimeoutError):
            d._sync.acquire(self.connection, "errors-timeout", 0)

    def test_a_token_that_is_not_held(self):
        with self.assertRaises(d.DflockdError):
            d._sync.release(self.connection, "errors-token", "0" * 32)

    def test_a_wrong_secret(self):
        with self.assertRaises(PermissionError):
            d.SyncDistributedLock("errors-auth", **at(GUARDED, auth_token="wrong")).acquire()

    def test_too_many_waiters_and_too_many_keys(self):
        with d.SyncDistributedLock("only", **at(CROWDED)):
            waiter, other = connect(CROWDED), connect(CROWDED)
            self.addCleanup(waiter.close)
            self.addCleanup(other.close)
            self.assertEqual(d._sync.enqueue(waiter, "only"), ("queued", None, None))
            with self.assertRaises(d.MaxWaitersError):
                d._sync.enqueue(other, "only")
            with self.assertRaises(d.MaxLocksError):
                d._sync.acquire(other, "one-more", 0)


if __name__ == "__main__":
    unittest.main()
