"""What the Python drivers share: see serve.ts, which says the same for those in TypeScript."""

import json
import os
import sys
import threading


class Lacks(Exception):
    """The library cannot do what was asked, by design."""


def say(what):
    print(json.dumps(what), flush=True)


def serve(verbs, member):
    """`ADDRESS`: answers requests, one a line. `ADDRESS TOPIC GROUP NAME [INSTANCE]`: is a member of a group."""
    address, *orders = sys.argv[1:]
    if orders:
        leaving = threading.Event()
        threading.Thread(target=lambda: (sys.stdin.readline(), leaving.set()), daemon=True).start()
        topic, group, name, *instance = orders
        return member(address, topic, group, name, instance[0] if instance else None, leaving)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["verb"] not in verbs:
                raise Lacks(f"no {request['verb']}")
            say({"id": request["id"], "result": verbs[request["verb"]](address, request["args"])})
        except Lacks as reason:
            say({"id": request["id"], "lacks": str(reason)})
        except Exception as error:
            say({"id": request["id"], "error": f"{type(error).__name__}: {error}"[:2000]})


def numbers(wish):
    """Of a flow's records, until it is told to end."""
    at = 0
    while not os.path.exists(wish["until"]):
        yield at
        at += 1


# Longer than a verb waits for records: a fetch that should have been answered at once is missed.
MIN_BYTES_WAIT_MS = 25000


def session_ms(instance):
    """Short, so that a crash is noticed; a static member has to be started again within it."""
    return 3000 if instance is None else 30000


def encoded(text):
    return None if text is None else text.encode()


def decoded(data):
    return None if data is None else bytes(data).decode()


def told(offset, key, value, headers, timestamp):
    """A record as scenarios see it."""
    return {
        "offset": offset,
        "key": decoded(key),
        "value": decoded(value),
        "headers": [[name, decoded(data)] for name, data in headers or []],
        "timestamp": timestamp,
    }
