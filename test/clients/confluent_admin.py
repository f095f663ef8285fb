"""What an administrator does with confluent-kafka: one step by name, input as JSON on stdin, result on stdout."""

import json
import sys

from confluent_kafka import TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)


def create(admin, wish):
    topic = NewTopic(wish["topic"], wish["partitions"], 1)
    wait(admin.create_topics([topic]))


def grow(admin, wish):
    wait(admin.create_partitions([NewPartitions(wish["topic"], wish["partitions"])]))
    metadata = admin.list_topics(wish["topic"], timeout=20)
    return len(metadata.topics[wish["topic"]].partitions)


def resource_of(wish, **rest):
    return ConfigResource(ConfigResource.Type[wish["type"]], wish["name"], **rest)


def alter(admin, wish):
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType[operation])
        for operation, name, value in wish["edits"]
    ]
    resource = resource_of(wish, incremental_configs=entries)
    wait(admin.incremental_alter_configs([resource]))


def replace(admin, wish):
    wait(admin.alter_configs([resource_of(wish, set_config=wish["configs"])]))


def describe(admin, wish):
    (found,) = wait(admin.describe_configs([resource_of(wish)]))
    return {
        name: {"value": entry.value, "source": entry.source, "readOnly": entry.is_read_only}
        for name, entry in found.items()
    }


def delete_records(admin, wish):
    futures = admin.delete_records([TopicPartition(wish["topic"], 0, wish["offset"])])
    (deleted,) = wait(futures)
    return deleted.low_watermark


def wait(futures):
    return [future.result(timeout=20) for future in futures.values()]


steps = {
    step.__name__: step
    for step in (create, grow, alter, replace, describe, delete_records)
}
client = AdminClient({"bootstrap.servers": sys.argv[2]})
print(json.dumps(steps[sys.argv[1]](client, json.load(sys.stdin))))
