"""aiokafka as scenarios drive it."""

import asyncio
import os
import time

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from driver import MIN_BYTES_WAIT_MS, Lacks, encoded, numbers, say, serve, session_ms, told


def version(address, wish):
    return aiokafka.__version__


def awaited(act):
    return lambda *args: asyncio.run(act(*args))


def producer_of(address, **settings):
    return AIOKafkaProducer(
        bootstrap_servers=address,
        max_request_size=4 << 20,
        metadata_max_age_ms=500,
        request_timeout_ms=20000,
        **settings,
    )


async def produce(address, wish):
    if any(one["key"] is None and one["value"] is None for one in wish["records"]):
        raise Lacks("refuses a record with neither key nor value")
    codec = None if wish["codec"] == "none" else wish["codec"]
    acks = "all" if wish["acks"] == "all" else int(wish["acks"])
    producer = producer_of(
        address, acks=acks, compression_type=codec, linger_ms=100, max_batch_size=4 << 20
    )
    await producer.start()
    try:
        futures = [
            await producer.send(
                wish["topic"],
                partition=wish["partition"],
                key=encoded(one["key"]),
                value=encoded(one["value"]),
                headers=[(name, encoded(data)) for name, data in one["headers"]],
                timestamp_ms=one.get("timestamp"),
            )
            for one in wish["records"]
        ]
        for future in futures:
            await future
    finally:
        await producer.stop()


async def flow(address, wish):
    producer = producer_of(address, acks="all")
    await producer.start()
    failed = []
    count = 0
    for at in numbers(wish):
        count += 1
        try:
            await producer.send_and_wait(wish["topic"], str(at).encode())
        except Exception as error:
            failed.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(wish["everyMs"] / 1000)
    await producer.stop()
    return {"acked": count - len(failed), "failed": failed}


async def consumer_of(address, group, topics=(), **settings):
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        metadata_max_age_ms=500,
        **{"enable_auto_commit": False, **settings},
    )
    return consumer


async def take(consumer, count, seconds=20):
    found = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        for records in (await consumer.getmany(timeout_ms=100, max_records=count - len(found))).values():
            found.extend(records)
    return found


async def assigned(address, wish, offset):
    least = wish.get("minBytes")
    waits = {} if least is None else {"fetch_min_bytes": least, "fetch_max_wait_ms": MIN_BYTES_WAIT_MS}
    consumer = await consumer_of(address, None, **waits)
    await consumer.start()
    at = TopicPartition(wish["topic"], wish["partition"])
    consumer.assign([at])
    consumer.seek(at, offset)
    return consumer, at


async def consume(address, wish):
    consumer, _ = await assigned(address, wish, wish["offset"])
    found = await take(consumer, wish["count"])
    await consumer.stop()
    return [told(r.offset, r.key, r.value, r.headers, r.timestamp) for r in found]


async def offset_for_time(address, wish):
    consumer, at = await assigned(address, wish, 0)
    found = (await consumer.offsets_for_times({at: wish["timestamp"]}))[at]
    await consumer.stop()
    return -1 if found is None else found.offset


async def pause_resume(address, wish):
    consumer, at = await assigned(address, wish, 0)
    before = [r.offset for r in await take(consumer, wish["before"])]
    consumer.pause(at)
    during = [r.offset for r in await take(consumer, 1, wish["quietMs"] / 1000)]
    consumer.resume(at)
    after = [r.offset for r in await take(consumer, wish["total"] - wish["before"])]
    await consumer.stop()
    return {"before": before, "during": during, "after": after}


async def consume_group(address, wish):
    consumer = await consumer_of(address, wish["group"], [wish["topic"]], session_timeout_ms=6000)
    await consumer.start()
    found = await take(consumer, wish["count"])
    await consumer.commit()
    await consumer.stop()
    return [{"partition": r.partition, "offset": r.offset} for r in found]


async def administered(address, act):
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        answer = await act(admin)
    finally:
        await admin.close()
    for one in answer if isinstance(answer, list) else [answer]:
        refuse(one)
    return answer


def refuse(answer):
    """It raises nothing where the broker refused: the errors stand in what it returns."""
    fields = answer.to_object()
    for name in ("topic_errors", "topic_error_codes", "resources"):
        for item in fields.get(name, []):
            if item["error_code"] != 0:
                raise RuntimeError(str(item))


async def create_topic(address, wish):
    topic = NewTopic(wish["topic"], wish["partitions"], address.count(",") + 1, topic_configs=wish["configs"])
    await administered(address, lambda admin: admin.create_topics([topic]))


async def grow_topic(address, wish):
    wanted = {wish["topic"]: NewPartitions(wish["partitions"])}
    await administered(address, lambda admin: admin.create_partitions(wanted))


async def configure_topic(address, wish):
    resource = ConfigResource(ConfigResourceType.TOPIC, wish["topic"], configs=wish["configs"])
    await administered(address, lambda admin: admin.alter_configs([resource]))


async def describe_topic(address, wish):
    resource = ConfigResource(ConfigResourceType.TOPIC, wish["topic"])
    [answer] = await administered(address, lambda admin: admin.describe_configs([resource]))
    [described] = answer.to_object()["resources"]
    return {entry["config_names"]: entry["config_value"] for entry in described["config_entries"]}


async def partitions(address, wish):
    producer = producer_of(address)
    await producer.start()
    try:
        return len(await producer.partitions_for(wish["topic"]))
    finally:
        await producer.stop()


async def delete_topic(address, wish):
    await administered(address, lambda admin: admin.delete_topics([wish["topic"]]))


class Told(ConsumerRebalanceListener):
    async def on_partitions_revoked(self, revoked):
        pass

    async def on_partitions_assigned(self, assigned):
        say({"assigned": sorted(one.partition for one in assigned)})


async def member(address, topic, group, name, instance, leaving):
    consumer = await consumer_of(
        address,
        group,
        client_id=name,
        group_instance_id=instance,
        session_timeout_ms=session_ms(instance),
        heartbeat_interval_ms=300,
        max_poll_interval_ms=10000,
        rebalance_timeout_ms=10000,
        enable_auto_commit=True,
        auto_commit_interval_ms=200,
    )
    consumer.subscribe([topic], listener=Told())
    await consumer.start()
    while not leaving.is_set():
        for record in await take(consumer, 1, 0.1):
            say({"partition": record.partition, "offset": record.offset})
    try:
        # Where its coordinator has just died, 0.14.0 asks it again and again for the last commit, and nobody who is it now.
        await asyncio.wait_for(consumer.stop(), 10)
    except asyncio.TimeoutError:
        os._exit(0)


serve(
    {
        "version": version,
        "produce": awaited(produce),
        "flow": awaited(flow),
        "consume": awaited(consume),
        "offsetForTime": awaited(offset_for_time),
        "pauseResume": awaited(pause_resume),
        "consumeGroup": awaited(consume_group),
        "createTopic": awaited(create_topic),
        "growTopic": awaited(grow_topic),
        "configureTopic": awaited(configure_topic),
        "describeTopic": awaited(describe_topic),
        "partitions": awaited(partitions),
        "deleteTopic": awaited(delete_topic),
    },
    awaited(member),
)
