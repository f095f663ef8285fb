/* The command of the load that says how long nobody could write. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static volatile sig_atomic_t is_counting, is_told_to_end;

static void count_from_now(int signal) {
  (void)signal;
  is_counting = 1;
}

static void end(int signal) {
  (void)signal;
  is_told_to_end = 1;
}

struct gap {
  /* When the partition acknowledged last, its longest time between two of them, and the latest record that it has. */
  int64_t acked_us, longest_us, record_us;
};

static void acked(rd_kafka_t *client, const rd_kafka_message_t *message, void *context) {
  (void)client;
  if (message->err) die("gap", rd_kafka_err2str(message->err));
  struct gap *gap = (struct gap *)context + message->partition;
  int64_t now = now_us();
  if (is_counting && gap->acked_us > 0 && now - gap->acked_us > gap->longest_us) gap->longest_us = now - gap->acked_us;
  gap->acked_us = now;
  memcpy(&gap->record_us, message->payload, sizeof gap->record_us);
}

static void give_up(const struct gap *gaps, int64_t partitions, int64_t ended_us) {
  char why[512] = "two minutes later nothing new is in partition";
  for (int64_t i = 0; i < partitions; i++) {
    if (gaps[i].record_us > ended_us) continue;
    size_t size = strlen(why);
    snprintf(why + size, sizeof why - size, " %d (%.1f s)", (int)i, (now_us() - gaps[i].acked_us) / 1e6);
  }
  die("gap", why);
}

int gap(const char *broker, const char *topic, int64_t partitions, int64_t rate) {
  signal(SIGTERM, end);
  signal(SIGUSR1, count_from_now);
  struct gap *gaps = calloc((size_t)partitions, sizeof *gaps);
  rd_kafka_conf_t *conf = configure(RD_KAFKA_PRODUCER, broker, "0");
  set(conf, "debug", "broker,metadata,topic");
  rd_kafka_conf_set_dr_msg_cb(conf, acked);
  rd_kafka_conf_set_opaque(conf, gaps);
  rd_kafka_t *client = begin(RD_KAFKA_PRODUCER, conf);
  char record[100] = {0};
  struct bytes value = {record, sizeof record};
  int64_t from = now_us(), ended_us = 0, longest_us = 0;
  for (int64_t sent = 0, has_more = 1; has_more;) {
    int64_t now = now_us(), due = from + sent * 1000000 / rate;
    if (now < due) {
      rd_kafka_poll(client, (int)((due - now) / 1000 + 1));
      continue;
    }
    memcpy(record, &now, sizeof now);
    for (int64_t i = 0; i < partitions; i++) put(client, topic, (int32_t)i, no_key, value);
    sent++;
    rd_kafka_poll(client, 0);
    if (is_told_to_end && ended_us == 0) ended_us = now;
    if (ended_us > 0 && now - ended_us > 120000000) give_up(gaps, partitions, ended_us);
    has_more = ended_us == 0;
    for (int64_t i = 0; i < partitions; i++) has_more |= gaps[i].record_us <= ended_us;
  }
  for (int64_t i = 0; i < partitions; i++)
    if (gaps[i].longest_us > longest_us) longest_us = gaps[i].longest_us;
  printf("{\"longestMs\":%.3f}\n", longest_us / 1e3);
  rd_kafka_flush(client, 10000);
  rd_kafka_destroy(client);
  free(gaps);
  return 0;
}
