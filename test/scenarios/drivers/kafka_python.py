"""kafka-python as scenarios drive it."""

import time

import kafka
from driver import MIN_BYTES_WAIT_MS, Lacks, encoded, numbers, say, serve, session_ms, told
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import RetriableError, UnknownBrokerIdError


def version(address, wish):
    return kafka.__version__


def producer_of(address, **settings):
    return KafkaProducer(
        bootstrap_servers=address,
        max_request_size=4 << 20,
        metadata_max_age_ms=500,
        delivery_timeout_ms=30000,
        request_timeout_ms=10000,
        reconnect_backoff_max_ms=1000,
        max_block_ms=20000,
        **settings,
    )


def produce(address, wish):
    if any(one["key"] is None and one["value"] is None for one in wish["records"]):
        raise Lacks("refuses a record with neither key nor value")
    codec = None if wish["codec"] == "none" else wish["codec"]
    acks = "all" if wish["acks"] == "all" else int(wish["acks"])
    producer = producer_of(
        address, acks=acks, compression_type=codec, linger_ms=100, batch_size=1 << 20, enable_idempotence=False
    )
    futures = [
        producer.send(
            wish["topic"],
            partition=wish["partition"],
            key=encoded(one["key"]),
            value=encoded(one["value"]),
            headers=[(name, encoded(data)) for name, data in one["headers"]],
            timestamp_ms=one.get("timestamp"),
        )
        for one in wish["records"]
    ]
    try:
        for future in futures:
            future.get(timeout=30)
    finally:
        producer.close(5)


def flow(address, wish):
    producer = producer_of(address, acks="all")
    failed = []
    count = 0
    for at in numbers(wish):
        count += 1
        try:
            producer.send(wish["topic"], str(at).encode()).get(timeout=35)
        except Exception as error:
            failed.append(f"{type(error).__name__}: {error}")
        time.sleep(wish["everyMs"] / 1000)
    producer.close(5)
    return {"acked": count - len(failed), "failed": failed}


def consumer_of(address, group, **settings):
    return KafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        # As Java's. Its own 30 s also hold back the metadata, long after the broker is there again.
        reconnect_backoff_max_ms=1000,
        **{"enable_auto_commit": False, **settings},
    )


def again(act, seconds=20):
    """What is asked while a broker is away throws, also where others are there; the application asks again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except (RetriableError, UnknownBrokerIdError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def subscribe(consumer, topic, listener=None):
    """Joins no group before the topic is known.

    A leader that joins without (3.0.12) assigns nothing and joins again when the metadata comes. `need_rejoin`
    (coordinator/consumer.py:604) says so only until `_perform_assignment` (:473) runs, within the task of the second join:
    where a poll's time is over in between, nobody looks at that task any more. The member neither reads nor beats.
    """
    consumer.subscribe([topic], listener=listener)
    deadline = time.monotonic() + 20
    while not again(lambda: consumer.partitions_for_topic(topic)) and time.monotonic() < deadline:
        time.sleep(0.02)


def take(consumer, count, seconds=20):
    found = []
    deadline = time.monotonic() + seconds
    wait_ms = min(1000, int(seconds * 1000))
    while len(found) < count and time.monotonic() < deadline:
        try:
            polled = consumer.poll(timeout_ms=wait_ms, max_records=count - len(found))
        except RetriableError:
            # While no broker is there, poll throws what a refresh of the metadata failed with: 3.0.12 awaits it in
            # ensure_coordinator_ready_async (coordinator/base.py:370) and catches time-outs only.
            continue
        for records in polled.values():
            found.extend(records)
    return found


def consume(address, wish):
    least = wish.get("minBytes")
    waits = {} if least is None else {"fetch_min_bytes": least, "fetch_max_wait_ms": MIN_BYTES_WAIT_MS}
    consumer = consumer_of(address, None, **waits)
    at = TopicPartition(wish["topic"], wish["partition"])
    consumer.assign([at])
    consumer.seek(at, wish["offset"])
    found = take(consumer, wish["count"])
    consumer.close()
    return [told(r.offset, r.key, r.value, r.headers, r.timestamp) for r in found]


def offset_for_time(address, wish):
    consumer = consumer_of(address, None)
    at = TopicPartition(wish["topic"], wish["partition"])
    found = again(lambda: consumer.offsets_for_times({at: wish["timestamp"]}))[at]
    consumer.close()
    return -1 if found is None else found.offset


def pause_resume(address, wish):
    consumer = consumer_of(address, None)
    at = TopicPartition(wish["topic"], wish["partition"])
    consumer.assign([at])
    consumer.seek(at, 0)
    before = [r.offset for r in take(consumer, wish["before"])]
    consumer.pause(at)
    during = [r.offset for r in take(consumer, 1, wish["quietMs"] / 1000)]
    consumer.resume(at)
    after = [r.offset for r in take(consumer, wish["total"] - wish["before"])]
    consumer.close()
    return {"before": before, "during": during, "after": after}


def consume_group(address, wish):
    consumer = consumer_of(address, wish["group"], session_timeout_ms=6000, heartbeat_interval_ms=1000)
    subscribe(consumer, wish["topic"])
    found = take(consumer, wish["count"])
    again(consumer.commit)
    consumer.close()
    return [{"partition": r.partition, "offset": r.offset} for r in found]


def with_admin(address, act):
    def once():
        # It asks one controller all its life, also one that the metadata do not have any more.
        admin = KafkaAdminClient(bootstrap_servers=address)
        try:
            return act(admin)
        finally:
            admin.close()

    return again(once)


def create_topic(address, wish):
    topic = NewTopic(wish["topic"], wish["partitions"], -1, topic_configs=wish["configs"])
    with_admin(address, lambda admin: admin.create_topics([topic]))


def grow_topic(address, wish):
    with_admin(address, lambda admin: admin.create_partitions({wish["topic"]: wish["partitions"]}))


def configure_topic(address, wish):
    resource = ConfigResource(ConfigResourceType.TOPIC, wish["topic"], configs=wish["configs"])
    with_admin(address, lambda admin: admin.alter_configs([resource]))


def describe_topic(address, wish):
    resource = ConfigResource(ConfigResourceType.TOPIC, wish["topic"])
    described = with_admin(address, lambda admin: admin.describe_configs([resource], config_filter="all"))
    return {name: entry["value"] for name, entry in described["topic"][wish["topic"]].items()}


def partitions(address, wish):
    producer = producer_of(address)
    found = producer.partitions_for(wish["topic"])
    producer.close(5)
    return len(found)


def delete_topic(address, wish):
    with_admin(address, lambda admin: admin.delete_topics([wish["topic"]]))


class Told(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        say({"assigned": sorted(one.partition for one in assigned)})


def member(address, topic, group, name, instance, leaving):
    consumer = consumer_of(
        address,
        group,
        client_id=name,
        group_instance_id=instance,
        session_timeout_ms=session_ms(instance),
        heartbeat_interval_ms=300,
        max_poll_interval_ms=10000,
        enable_auto_commit=True,
        auto_commit_interval_ms=200,
    )
    subscribe(consumer, topic, Told())
    while not leaving.is_set():
        for record in take(consumer, 1, 1):
            say({"partition": record.partition, "offset": record.offset})
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
