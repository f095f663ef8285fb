"""The independent reader: librdkafka through confluent-kafka, digest of (partition, offset, key, value)."""
import hashlib
import json
import struct
import sys

from confluent_kafka import Consumer, TopicPartition

address, topic, partition_count = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = Consumer({
    'bootstrap.servers': address,
    'group.id': 'main-job-reader',
    'enable.auto.commit': False,
    'auto.offset.reset': 'error',
    'check.crcs': True,
})


def bytes_of(value):
    return struct.pack('>i', -1) if value is None else struct.pack('>i', len(value)) + value


whole = hashlib.sha256()
records = gaps = 0
for partition in range(partition_count):
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
    consumer.assign([TopicPartition(topic, partition, low)])
    digest, expected = hashlib.sha256(), low
    while expected < high:
        messages = consumer.consume(min(10000, high - expected), timeout=10)
        if not messages:
            sys.exit(f'partition {partition} gives nothing at offset {expected}')
        for message in messages:
            if message.error():
                sys.exit(str(message.error()))
            offset = message.offset()
            gaps += offset != expected
            expected = offset + 1
            records += 1
            digest.update(struct.pack('>iq', partition, offset) + bytes_of(message.key()) + bytes_of(message.value()))
    whole.update(digest.digest())
consumer.close()
print(json.dumps({'digest': whole.hexdigest(), 'recordCount': records, 'gapCount': gaps}))
