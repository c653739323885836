"""Where the daemons of this run listen."""

import os

HOST = "127.0.0.1"
SERVER = (HOST, int(os.environ["TENURE_TEST_PORT"]))
GUARDED = (HOST, int(os.environ["TENURE_TEST_GUARDED_PORT"]))
CROWDED = (HOST, int(os.environ["TENURE_TEST_CROWDED_PORT"]))
SECRET = os.environ["TENURE_TEST_SECRET"]


def at(server=SERVER, **options):
    """The options of a client of this server."""
    return {"servers": [server], **options}
