"""A member of a group on librdkafka: ADDRESS TOPIC GROUP NAME. Tells its assignments and what it reads as JSON lines; leaves when a line comes."""

import json
import sys
import threading

from confluent_kafka import Consumer

address, topic, group, name = sys.argv[1:5]
leaving = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), leaving.set()), daemon=True).start()


def say(what):
    print(json.dumps(what), flush=True)


def assigned(consumer, partitions):
    say({"assigned": [one.partition for one in partitions]})


consumer = Consumer(
    {
        "bootstrap.servers": address,
        "client.id": name,
        "group.id": group,
        "session.timeout.ms": 3000,
        "heartbeat.interval.ms": 300,
        "max.poll.interval.ms": 10000,
        "auto.commit.interval.ms": 200,
        "auto.offset.reset": "earliest",
        **json.loads(sys.argv[5] if len(sys.argv) > 5 else "{}"),
    }
)
incremental = len(sys.argv) > 5 and "cooperative" in sys.argv[5]
own = set()


def added(consumer, partitions):
    own.update(one.partition for one in partitions)
    say({"assigned": sorted(own)})


def removed(consumer, partitions):
    own.difference_update(one.partition for one in partitions)
    say({"assigned": sorted(own)})


if incremental:
    consumer.subscribe([topic], on_assign=added, on_revoke=removed)
else:
    consumer.subscribe([topic], on_assign=assigned)
while not leaving.is_set():
    message = consumer.poll(0.1)
    if message is None:
        continue
    if message.error() is not None:
        raise RuntimeError(str(message.error()))
    say({"partition": message.partition(), "offset": message.offset()})
consumer.close()
