/*
 * Load for a Kafka broker by librdkafka, the client that most languages use: what the broker is given is the same whoever the
 * broker is. One line of JSON on standard output; anything that goes wrong ends it with a line on standard error.
 *
 *   load produce BROKER TOPIC BYTES RECORD_BYTES    acks=all, and waits for the last answer
 *   load consume BROKER TOPIC PARTITIONS RECORDS    from the beginning, without a group
 *   load pace    BROKER TOPIC SECONDS RATE          RATE records of 1 KiB a second to partition 0, read back: latency end to end
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rdkafka.h"

static void die(const char *what, const char *why) {
  fprintf(stderr, "load: %s: %s\n", what, why);
  exit(1);
}

static int64_t now_us(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(name, why);
}

static int64_t failed_count;

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *context) {
  (void)client, (void)context;
  if (message->err) failed_count++;
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *broker, const char *linger_ms) {
  char why[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", broker);
  if (type == RD_KAFKA_PRODUCER) {
    set(conf, "acks", "all");
    set(conf, "linger.ms", linger_ms);
    set(conf, "queue.buffering.max.messages", "200000");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  } else {
    set(conf, "group.id", "load");
    set(conf, "enable.auto.commit", "false");
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "check.crcs", "false");
  }
  rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
  if (client == NULL) die("client", why);
  if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(client);
  return client;
}

static void put(rd_kafka_t *client, const char *topic, int32_t partition, const void *bytes, size_t size) {
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)bytes, size), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("produce", rd_kafka_err2str(error));
    rd_kafka_poll(client, 10);
  }
}

static int produce(const char *broker, const char *topic, int64_t bytes, size_t record_bytes) {
  rd_kafka_t *client = make(RD_KAFKA_PRODUCER, broker, "5");
  char *record = malloc(record_bytes);
  uint32_t seed = 7;
  for (size_t i = 0; i < record_bytes; i++) record[i] = (char)(' ' + (seed = seed * 1103515245 + 12345) % 95);
  int64_t count = bytes / (int64_t)record_bytes, from = now_us();
  for (int64_t i = 0; i < count; i++) {
    put(client, topic, RD_KAFKA_PARTITION_UA, record, record_bytes);
    if (i % 1000 == 0) rd_kafka_poll(client, 0);
  }
  if (rd_kafka_flush(client, 120000)) die("flush", "records are left after two minutes");
  if (failed_count > 0) die("produce", "records were refused");
  printf("{\"seconds\":%.6f,\"records\":%lld}\n", (now_us() - from) / 1e6, (long long)count);
  rd_kafka_destroy(client);
  free(record);
  return 0;
}

static void assign(rd_kafka_t *client, const char *topic, int partitions, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; i++) rd_kafka_topic_partition_list_add(list, topic, i)->offset = offset;
  rd_kafka_assign(client, list);
  rd_kafka_topic_partition_list_destroy(list);
}

static int consume(const char *broker, const char *topic, int partitions, int64_t records) {
  rd_kafka_t *client = make(RD_KAFKA_CONSUMER, broker, "0");
  int64_t seen = 0, from = now_us(), heard = from;
  assign(client, topic, partitions, RD_KAFKA_OFFSET_BEGINNING);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  rd_kafka_message_t *batch[1000];
  while (seen < records) {
    ssize_t got = rd_kafka_consume_batch_queue(queue, 1000, batch, 1000);
    for (ssize_t i = 0; i < got; i++) {
      if (!batch[i]->err) seen++;
      rd_kafka_message_destroy(batch[i]);
    }
    if (got > 0) heard = now_us();
    else if (now_us() - heard > 60000000) die("consume", "nothing came for a minute");
  }
  printf("{\"seconds\":%.6f,\"records\":%lld}\n", (now_us() - from) / 1e6, (long long)seen);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return 0;
}

static int by_value(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static int pace(const char *broker, const char *topic, int seconds, int rate) {
  rd_kafka_t *producer = make(RD_KAFKA_PRODUCER, broker, "0");
  rd_kafka_t *consumer = make(RD_KAFKA_CONSUMER, broker, "0");
  int64_t count = (int64_t)seconds * rate, sent = 0, seen = 0;
  int64_t *latencies = malloc(sizeof *latencies * (size_t)count);
  char record[1024] = {0};
  /* One record first: it makes the topic, and when it is back the consumer has all that was there before. */
  int64_t first = now_us();
  memcpy(record, &first, sizeof first);
  put(producer, topic, 0, record, sizeof record);
  if (rd_kafka_flush(producer, 60000)) die("pace", "the first record was not taken");
  assign(consumer, topic, 1, RD_KAFKA_OFFSET_BEGINNING);
  for (int64_t came = -1; came != first;) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 1000);
    if (now_us() - first > 60000000) die("pace", "the first record did not come back");
    if (message == NULL) continue;
    if (!message->err && message->len == sizeof record) memcpy(&came, message->payload, sizeof came);
    rd_kafka_message_destroy(message);
  }
  int64_t from = now_us(), heard = from;
  while (seen < count) {
    while (sent < count && now_us() >= from + sent * 1000000 / rate) {
      int64_t due = from + sent * 1000000 / rate;
      memcpy(record, &due, sizeof due);
      put(producer, topic, 0, record, sizeof record);
      sent++;
    }
    rd_kafka_poll(producer, 0);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, sent < count ? 0 : 10);
    if (message == NULL) {
      if (now_us() - heard > 60000000) die("pace", "nothing came for a minute");
      struct timespec nap = {0, 50000};
      nanosleep(&nap, NULL);
      continue;
    }
    if (!message->err && message->len == sizeof record) {
      int64_t due;
      memcpy(&due, message->payload, sizeof due);
      heard = now_us();
      if (due >= from) latencies[seen++] = heard - due;
    }
    rd_kafka_message_destroy(message);
  }
  qsort(latencies, (size_t)count, sizeof *latencies, by_value);
  printf("{\"records\":%lld,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"p999Ms\":%.3f,\"maxMs\":%.3f}\n", (long long)count,
         latencies[count / 2] / 1e3, latencies[count * 99 / 100] / 1e3, latencies[count * 999 / 1000] / 1e3,
         latencies[count - 1] / 1e3);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  rd_kafka_destroy(producer);
  free(latencies);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 6) die("usage", "load produce|consume|pace BROKER TOPIC A B");
  const char *what = argv[1], *broker = argv[2], *topic = argv[3];
  int64_t a = atoll(argv[4]), b = atoll(argv[5]);
  if (a <= 0 || b <= 0) die("usage", "the numbers are above 0");
  if (strcmp(what, "produce") == 0) return produce(broker, topic, a, (size_t)b);
  if (strcmp(what, "consume") == 0) return consume(broker, topic, (int)a, b);
  if (strcmp(what, "pace") == 0) return pace(broker, topic, (int)a, (int)b);
  die("usage", "produce, consume or pace");
}
