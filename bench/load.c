/*
 * Load for a Kafka broker by librdkafka, the client that most languages use: what the broker is given is the same whoever the
 * broker is. One line of JSON on standard output; anything that goes wrong ends it with a line on standard error.
 *
 *   load produce BROKER TOPIC BYTES RECORD_BYTES    acks=all, and waits for the last answer
 *   load produce1 BROKER TOPIC BYTES RECORD_BYTES   the same with acks=1
 *   load keyed   BROKER TOPIC RECORDS PRODUCERS     100 B with a key; each producer has a thread and a connection of its own
 *   load fill    BROKER TOPIC BYTES PARTITIONS      1 KiB, to each partition as much
 *   load consume BROKER TOPIC PARTITIONS RECORDS    from the beginning, without a group
 *   load scan    BROKER TOPIC FIRST PARTITIONS      from the beginning until SIGTERM; whoever reaches the end before has failed
 *   load pace    BROKER TOPIC SECONDS RATE          RATE records of 1 KiB a second to partition 0, read back: latency end to end
 *   load gap     BROKER TOPIC PARTITIONS RATE       RATE records of 100 B a second to each; SIGUSR1: from now on the longest time
 *                                                   without an acknowledgement counts; SIGTERM: ends when each has taken one more
 *   load first   BROKER TOPIC MS 1                  one record from one client to another, for which the broker may come MS late
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

void die(const char *what, const char *why) {
  fprintf(stderr, "load: %s: %s\n", what, why);
  exit(1);
}

int64_t now_us(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(name, why);
}

static _Atomic int64_t failed_count;

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *context) {
  (void)client, (void)context;
  if (message->err) failed_count++;
}

rd_kafka_conf_t *configure(rd_kafka_type_t type, const char *broker, const char *linger_ms) {
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
  return conf;
}

rd_kafka_t *begin(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
  char why[256];
  rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
  if (client == NULL) die("client", why);
  if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(client);
  return client;
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *broker, const char *linger_ms) {
  return begin(type, configure(type, broker, linger_ms));
}

const struct bytes no_key = {NULL, 0};

void put(rd_kafka_t *client, const char *topic, int32_t partition, struct bytes key, struct bytes value) {
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY((void *)key.at, key.size),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)value.at, value.size), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("produce", rd_kafka_err2str(error));
    rd_kafka_poll(client, 10);
  }
}

/* Bytes of a record that no codec and no disk finds shorter than they are. */
static char *noise(size_t size) {
  char *bytes = malloc(size);
  uint32_t seed = 7;
  for (size_t i = 0; i < size; i++) bytes[i] = (char)(' ' + (seed = seed * 1103515245 + 12345) % 95);
  return bytes;
}

static void drain(rd_kafka_t *client) {
  if (rd_kafka_flush(client, 120000)) die("flush", "records are left after two minutes");
  if (failed_count > 0) die("produce", "records were refused");
}

static int produce_with(rd_kafka_conf_t *conf, const char *topic, int64_t bytes, int64_t record_bytes) {
  rd_kafka_t *client = begin(RD_KAFKA_PRODUCER, conf);
  char *record = noise((size_t)record_bytes);
  struct bytes value = {record, (size_t)record_bytes};
  int64_t count = bytes / record_bytes, from = now_us();
  for (int64_t i = 0; i < count; i++) {
    put(client, topic, RD_KAFKA_PARTITION_UA, no_key, value);
    if (i % 1000 == 0) rd_kafka_poll(client, 0);
  }
  drain(client);
  printf("{\"seconds\":%.6f,\"records\":%lld}\n", (now_us() - from) / 1e6, (long long)count);
  rd_kafka_destroy(client);
  free(record);
  return 0;
}

static int produce(const char *broker, const char *topic, int64_t bytes, int64_t record_bytes) {
  return produce_with(configure(RD_KAFKA_PRODUCER, broker, "5"), topic, bytes, record_bytes);
}

static int produce1(const char *broker, const char *topic, int64_t bytes, int64_t record_bytes) {
  rd_kafka_conf_t *conf = configure(RD_KAFKA_PRODUCER, broker, "5");
  set(conf, "acks", "1");
  return produce_with(conf, topic, bytes, record_bytes);
}

static int fill(const char *broker, const char *topic, int64_t bytes, int64_t partitions) {
  enum { record_bytes = 1024, run_length = 100 };
  rd_kafka_t *client = make(RD_KAFKA_PRODUCER, broker, "5");
  char *record = noise(record_bytes);
  struct bytes value = {record, record_bytes};
  int64_t count = bytes / record_bytes, from = now_us();
  for (int64_t i = 0; i < count; i++) {
    put(client, topic, (int32_t)(i / run_length % partitions), no_key, value);
    if (i % 1000 == 0) rd_kafka_poll(client, 0);
  }
  drain(client);
  printf("{\"seconds\":%.6f,\"records\":%lld}\n", (now_us() - from) / 1e6, (long long)count);
  rd_kafka_destroy(client);
  free(record);
  return 0;
}

struct keyed_producer {
  const char *broker, *topic;
  int64_t records;
  uint32_t seed;
};

static void *produce_keyed(void *given) {
  enum { record_bytes = 100, keys = 10000 };
  struct keyed_producer *it = given;
  rd_kafka_conf_t *conf = configure(RD_KAFKA_PRODUCER, it->broker, "5");
  set(conf, "partitioner", "murmur2_random");
  rd_kafka_t *client = begin(RD_KAFKA_PRODUCER, conf);
  char *record = noise(record_bytes), key[16];
  struct bytes value = {record, record_bytes};
  for (int64_t i = 0; i < it->records; i++) {
    it->seed = it->seed * 1103515245 + 12345;
    int key_size = snprintf(key, sizeof key, "key-%05u", (it->seed >> 8) % keys);
    put(client, it->topic, RD_KAFKA_PARTITION_UA, (struct bytes){key, (size_t)key_size}, value);
    if (i % 1000 == 0) rd_kafka_poll(client, 0);
  }
  drain(client);
  rd_kafka_destroy(client);
  free(record);
  return NULL;
}

static int keyed(const char *broker, const char *topic, int64_t records, int64_t producers) {
  pthread_t *threads = calloc((size_t)producers, sizeof *threads);
  struct keyed_producer *each = calloc((size_t)producers, sizeof *each);
  int64_t from = now_us();
  for (int64_t i = 0; i < producers; i++) {
    each[i] = (struct keyed_producer){broker, topic, records / producers, (uint32_t)i + 1};
    if (pthread_create(&threads[i], NULL, produce_keyed, &each[i])) die("keyed", "no thread");
  }
  for (int64_t i = 0; i < producers; i++) pthread_join(threads[i], NULL);
  int64_t count = records / producers * producers;
  printf("{\"seconds\":%.6f,\"records\":%lld}\n", (now_us() - from) / 1e6, (long long)count);
  free(threads);
  free(each);
  return 0;
}

static void assign(rd_kafka_t *client, const char *topic, int64_t first, int64_t partitions) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partitions);
  for (int64_t i = first; i < first + partitions; i++)
    rd_kafka_topic_partition_list_add(list, topic, (int32_t)i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(client, list);
  rd_kafka_topic_partition_list_destroy(list);
}

static int consume(const char *broker, const char *topic, int64_t partitions, int64_t records) {
  rd_kafka_t *client = make(RD_KAFKA_CONSUMER, broker, "0");
  int64_t seen = 0, from = now_us(), heard = from;
  assign(client, topic, 0, partitions);
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

static volatile sig_atomic_t is_told_to_end;

static void end(int signal) {
  (void)signal;
  is_told_to_end = 1;
}

static int scan(const char *broker, const char *topic, int64_t first, int64_t partitions) {
  signal(SIGTERM, end);
  rd_kafka_conf_t *conf = configure(RD_KAFKA_CONSUMER, broker, "0");
  set(conf, "enable.partition.eof", "true");
  rd_kafka_t *client = begin(RD_KAFKA_CONSUMER, conf);
  int64_t seen = 0, bytes = 0, from = now_us();
  assign(client, topic, first, partitions);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  rd_kafka_message_t *batch[1000];
  while (!is_told_to_end) {
    ssize_t got = rd_kafka_consume_batch_queue(queue, 100, batch, 1000);
    for (ssize_t i = 0; i < got; i++) {
      if (batch[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) die("scan", "there was not enough to read");
      if (!batch[i]->err) seen++, bytes += (int64_t)batch[i]->len;
      rd_kafka_message_destroy(batch[i]);
    }
  }
  printf("{\"seconds\":%.6f,\"records\":%lld,\"bytes\":%lld}\n", (now_us() - from) / 1e6, (long long)seen,
         (long long)bytes);
  rd_kafka_queue_destroy(queue);
  /* No farewell: what is under way from a slow disk would be waited for. */
  fflush(stdout);
  _exit(0);
}

static int by_value(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static int pace(const char *broker, const char *topic, int64_t seconds, int64_t rate) {
  rd_kafka_t *producer = make(RD_KAFKA_PRODUCER, broker, "0");
  rd_kafka_t *consumer = make(RD_KAFKA_CONSUMER, broker, "0");
  int64_t count = seconds * rate, sent = 0, seen = 0;
  int64_t *latencies = malloc(sizeof *latencies * (size_t)count);
  char record[1024] = {0};
  struct bytes value = {record, sizeof record};
  /* One record first: it makes the topic, and when it is back the consumer has all that was there before. */
  int64_t first = now_us();
  memcpy(record, &first, sizeof first);
  put(producer, topic, 0, no_key, value);
  if (rd_kafka_flush(producer, 60000)) die("pace", "the first record was not taken");
  assign(consumer, topic, 0, 1);
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
      put(producer, topic, 0, no_key, value);
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

/* Both are there before the broker is, and ask for it again at least ten times a second. */
static rd_kafka_t *make_early(rd_kafka_type_t type, const char *broker) {
  rd_kafka_conf_t *conf = configure(type, broker, "0");
  set(conf, "reconnect.backoff.ms", "20");
  set(conf, "reconnect.backoff.max.ms", "50");
  set(conf, "retry.backoff.ms", "20");
  set(conf, "topic.metadata.refresh.fast.interval.ms", "20");
  set(conf, "log_level", "0");
  return begin(type, conf);
}

/* Asked outright: by itself librdkafka looks once a second whether a topic has come to be. */
static void await_topic(rd_kafka_t *client, const char *topic, int64_t deadline) {
  rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
  for (int is_there = 0; !is_there;) {
    if (now_us() > deadline) die("first", "the topic did not come to be");
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client, 0, handle, &metadata, 100) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      is_there = metadata->topic_cnt == 1 && !metadata->topics[0].err && metadata->topics[0].partition_cnt > 0;
      for (int i = 0; is_there && i < metadata->topics[0].partition_cnt; i++)
        if (metadata->topics[0].partitions[i].leader < 0) is_there = 0;
      rd_kafka_metadata_destroy(metadata);
    }
    struct timespec nap = {0, 10000000};
    if (!is_there) nanosleep(&nap, NULL);
  }
  rd_kafka_topic_destroy(handle);
}

static int first(const char *broker, const char *topic, int64_t late_ms, int64_t one) {
  (void)one;
  rd_kafka_t *producer = make_early(RD_KAFKA_PRODUCER, broker), *consumer = make_early(RD_KAFKA_CONSUMER, broker);
  int64_t deadline = now_us() + late_ms * 1000, at = 0;
  await_topic(producer, topic, deadline);
  put(producer, topic, 0, no_key, (struct bytes){"first", 5});
  if (rd_kafka_flush(producer, (int)late_ms) || failed_count > 0) die("first", "the record was not taken");
  await_topic(consumer, topic, deadline);
  assign(consumer, topic, 0, 1);
  while (at == 0) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
    if (now_us() > deadline) die("first", "the record did not come back");
    if (message == NULL) continue;
    if (!message->err) at = now_us();
    rd_kafka_message_destroy(message);
  }
  printf("{\"atUs\":%lld}\n", (long long)at);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  rd_kafka_destroy(producer);
  return 0;
}

static const struct {
  const char *name;
  int (*run)(const char *broker, const char *topic, int64_t a, int64_t b);
} commands[] = {{"produce", produce}, {"produce1", produce1}, {"keyed", keyed}, {"fill", fill},   {"consume", consume},
                {"scan", scan},       {"pace", pace},         {"gap", gap},     {"first", first}};

int main(int argc, char **argv) {
  if (argc != 6) die("usage", "load COMMAND BROKER TOPIC A B");
  int64_t a = atoll(argv[4]), b = atoll(argv[5]);
  if (a < 0 || b <= 0) die("usage", "the numbers are above 0");
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argv[2], argv[3], a, b);
  die("usage", "no such command");
}
