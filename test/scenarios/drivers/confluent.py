"""confluent-kafka (librdkafka) as scenarios drive it."""

import time

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)
from driver import MIN_BYTES_WAIT_MS, encoded, numbers, say, serve, session_ms, told


def version(address, wish):
    return f"{confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})"


def producer_of(address, **settings):
    return Producer(
        {
            "bootstrap.servers": address,
            "message.max.bytes": 4 << 20,
            "topic.metadata.refresh.interval.ms": 500,
            **{name.replace("_", "."): value for name, value in settings.items()},
        }
    )


def produce(address, wish):
    producer = producer_of(
        address, linger_ms=100, compression_type=wish["codec"], acks=wish["acks"], delivery_timeout_ms=20000
    )
    failures = []
    for one in wish["records"]:
        producer.produce(
            wish["topic"],
            partition=wish["partition"],
            key=encoded(one["key"]),
            value=encoded(one["value"]),
            headers=[(name, encoded(data)) for name, data in one["headers"]],
            timestamp=one.get("timestamp", 0),
            on_delivery=lambda error, _: error and failures.append(str(error)),
        )
    if producer.flush(30) or failures:
        raise RuntimeError(failures[0] if failures else "not delivered")


def flow(address, wish):
    producer = producer_of(address, delivery_timeout_ms=20000, message_timeout_ms=20000)
    failed = []
    count = 0
    for at in numbers(wish):
        count += 1
        producer.produce(
            wish["topic"], str(at), on_delivery=lambda error, _: error and failed.append(str(error))
        )
        producer.poll(wish["everyMs"] / 1000)
        time.sleep(wish["everyMs"] / 1000)
    left = producer.flush(30)
    return {"acked": count - len(failed) - left, "failed": failed + ["not delivered"] * left}


def consumer_of(address, group, **settings):
    return Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "topic.metadata.refresh.interval.ms": 500,
            **{name.replace("_", "."): value for name, value in settings.items()},
        }
    )


def take(consumer, count, seconds=20):
    found = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise RuntimeError(str(message.error()))
        found.append(message)
    return found


def consume(address, wish):
    least = wish.get("minBytes")
    waits = {} if least is None else {"fetch_min_bytes": least, "fetch_wait_max_ms": MIN_BYTES_WAIT_MS}
    consumer = consumer_of(address, "none", **waits)
    consumer.assign([TopicPartition(wish["topic"], wish["partition"], wish["offset"])])
    found = take(consumer, wish["count"])
    consumer.close()
    return [told(m.offset(), m.key(), m.value(), m.headers(), m.timestamp()[1]) for m in found]


def offset_for_time(address, wish):
    consumer = consumer_of(address, "none")
    asked = [TopicPartition(wish["topic"], wish["partition"], wish["timestamp"])]
    until = time.monotonic() + 20
    while True:
        try:
            [found] = consumer.offsets_for_times(asked, timeout=20)
            break
        except KafkaException as error:
            # The library gives up what waits for a broker that is away once the metadata no longer list it,
            # and where nobody leads yet or who leads knows no watermark.
            passing = (
                KafkaError._DESTROY_BROKER,
                KafkaError._UNKNOWN_PARTITION,
                KafkaError.OFFSET_NOT_AVAILABLE,
            )
            if error.args[0].code() not in passing or time.monotonic() > until:
                raise
            time.sleep(0.1)
    consumer.close()
    return found.offset


def pause_resume(address, wish):
    consumer = consumer_of(address, "none")
    at = [TopicPartition(wish["topic"], wish["partition"], 0)]
    consumer.assign(at)
    before = [m.offset() for m in take(consumer, wish["before"])]
    consumer.pause(at)
    during = [m.offset() for m in take(consumer, 1, wish["quietMs"] / 1000)]
    consumer.resume(at)
    after = [m.offset() for m in take(consumer, wish["total"] - wish["before"])]
    consumer.close()
    return {"before": before, "during": during, "after": after}


def consume_group(address, wish):
    consumer = consumer_of(address, wish["group"], session_timeout_ms=6000)
    consumer.subscribe([wish["topic"]])
    found = take(consumer, wish["count"])
    for message in found:
        consumer.commit(message=message, asynchronous=False)
    consumer.close()
    return [{"partition": m.partition(), "offset": m.offset()} for m in found]


def administer(address, act):
    # Held until all is answered: what it leads to dies with it.
    admin = AdminClient({"bootstrap.servers": address})
    for left in reversed(range(3)):
        try:
            for future in act(admin).values():
                future.result(timeout=20)
            return
        except KafkaException as error:
            # What waits for a broker that is no longer told of is not sent to another: the application asks again.
            if left == 0 or error.args[0].code() != KafkaError._DESTROY_BROKER:
                raise


def create_topic(address, wish):
    topic = NewTopic(wish["topic"], wish["partitions"], -1, config=wish["configs"])
    administer(address, lambda admin: admin.create_topics([topic]))


def grow_topic(address, wish):
    wanted = NewPartitions(wish["topic"], wish["partitions"])
    administer(address, lambda admin: admin.create_partitions([wanted]))


def configure_topic(address, wish):
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in wish["configs"].items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, wish["topic"], incremental_configs=entries)
    administer(address, lambda admin: admin.incremental_alter_configs([resource]))


def describe_topic(address, wish):
    admin = AdminClient({"bootstrap.servers": address})
    resource = ConfigResource(ConfigResource.Type.TOPIC, wish["topic"])
    [described] = [one.result(timeout=20) for one in admin.describe_configs([resource]).values()]
    return {name: entry.value for name, entry in described.items()}


def partitions(address, wish):
    topic = Producer({"bootstrap.servers": address}).list_topics(wish["topic"], timeout=20).topics[wish["topic"]]
    return len(topic.partitions)


def delete_topic(address, wish):
    administer(address, lambda admin: admin.delete_topics([wish["topic"]]))


def member(address, topic, group, name, instance, leaving):
    static = {} if instance is None else {"group_instance_id": instance}
    consumer = consumer_of(
        address,
        group,
        client_id=name,
        session_timeout_ms=session_ms(instance),
        heartbeat_interval_ms=300,
        max_poll_interval_ms=max(10000, session_ms(instance)),
        enable_auto_commit=True,
        auto_commit_interval_ms=200,
        **static,
    )
    consumer.subscribe(
        [topic], on_assign=lambda _, own: say({"assigned": [one.partition for one in own]})
    )
    while not leaving.is_set():
        for message in take(consumer, 1, 0.1):
            say({"partition": message.partition(), "offset": message.offset()})
    consumer.close()


serve(
    {
        "version": version,
        "produce": produce,
        "flow": flow,
        "consume": consume,
        "offsetForTime": offset_for_time,
        "pauseResume": pause_resume,
        "consumeGroup": consume_group,
        "createTopic": create_topic,
        "growTopic": grow_topic,
        "configureTopic": configure_topic,
        "describeTopic": describe_topic,
        "partitions": partitions,
        "deleteTopic": delete_topic,
    },
    member,
)
