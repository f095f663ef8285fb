"""What a user of confluent-kafka does: one step by name, its input as JSON on stdin, its result as JSON on stdout."""

import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic


def create(address, wish):
    admin = AdminClient({"bootstrap.servers": address})
    topic = NewTopic(wish["topic"], wish["partitions"], 1, config=wish.get("config", {}))
    for future in admin.create_topics([topic]).values():
        future.result(timeout=20)


def delete(address, wish):
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.delete_topics([wish["topic"]]).values():
        future.result(timeout=20)


def topics(address, wish):
    metadata = AdminClient({"bootstrap.servers": address}).list_topics(timeout=20)
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def config(address, wish):
    admin = AdminClient({"bootstrap.servers": address})
    resource = ConfigResource(ConfigResource.Type.TOPIC, wish["topic"])
    for future in admin.describe_configs([resource]).values():
        return {name: entry.value for name, entry in future.result(timeout=20).items()}


def produce(address, wish):
    producer = Producer(
        {"bootstrap.servers": address, "linger.ms": 10000, **wish["settings"]}
    )
    failures = []

    def delivered(error, message):
        if error is not None:
            failures.append(str(error))

    for sample in wish["samples"]:
        producer.produce(
            wish["topic"],
            partition=0,
            key=sample["key"],
            value=sample["value"],
            headers=list(sample["headers"].items()),
            on_delivery=delivered,
        )
    # Which does not wait for linger.ms: that is so long that all records are in one batch, however slow this machine.
    left = producer.flush(30)
    return {"failures": failures, "left": left}


def consume(address, wish):
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "none",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(wish["topic"], 0, wish["offset"])])
    found = []
    while True:
        message = consumer.poll(20)
        if message is None:
            raise RuntimeError("no message and no end of the partition within 20 s")
        if message.error() is not None:
            if message.error().code() == KafkaError._PARTITION_EOF:
                break
            raise RuntimeError(str(message.error()))
        found.append(
            {
                "offset": message.offset(),
                "key": text(message.key()),
                "value": text(message.value()),
                "headers": {name: text(value) for name, value in message.headers() or []},
            }
        )
    low, high = consumer.get_watermark_offsets(TopicPartition(wish["topic"], 0), timeout=20)
    consumer.close()
    return {"records": found, "low": low, "high": high}


def follow(address, wish):
    """Values of a topic from its beginning on, until there are as many as wished; whatever becomes of the topic meanwhile."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "none",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 500,
        }
    )
    consumer.assign([TopicPartition(wish["topic"], 0, OFFSET_BEGINNING)])
    values = []
    while len(values) < wish["count"]:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            values.append(text(message.value()))
    consumer.close()
    return values


def text(value):
    return None if value is None else value.decode()


steps = {
    step.__name__: step
    for step in (create, delete, topics, config, produce, consume, follow)
}
print(json.dumps(steps[sys.argv[1]](sys.argv[2], json.load(sys.stdin))))
