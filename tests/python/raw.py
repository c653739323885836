"""A look at the daemon past the client under test."""

import json
import socket

from service import SERVER


def ask(command, key="_", argument="", server=SERVER):
    """One request on a connection of its own."""
    with socket.create_connection(server, timeout=30) as connection:
        connection.sendall(f"{command}\n{key}\n{argument}\n".encode())
        with connection.makefile("rb") as answers:
            return answers.readline().decode().rstrip("\n")


def stats(server=SERVER):
    """What `stats` says."""
    return json.loads(ask("stats", server=server).removeprefix("ok "))


def waiters(key):
    """How many wait for a lock that is held."""
    return sum(lock["waiters"] for lock in stats()["locks"] if lock["key"] == key)


def is_held(key):
    """Whether somebody holds a lock."""
    return any(lock["key"] == key for lock in stats()["locks"])
