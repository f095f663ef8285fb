/* What the commands of the load share: load.c has most of them. */
#pragma once

#include <stdint.h>

#include "rdkafka.h"

struct bytes {
  const void *at;
  size_t size;
};

extern const struct bytes no_key;

/* Ends the process with a line on standard error. */
void die(const char *what, const char *why) __attribute__((noreturn));
int64_t now_us(void);
void set(rd_kafka_conf_t *conf, const char *name, const char *value);
rd_kafka_conf_t *configure(rd_kafka_type_t type, const char *broker, const char *linger_ms);
rd_kafka_t *begin(rd_kafka_type_t type, rd_kafka_conf_t *conf);
/* Waits for room where there is none. */
void put(rd_kafka_t *client, const char *topic, int32_t partition, struct bytes key, struct bytes value);

/* gap.c */
int gap(const char *broker, const char *topic, int64_t partitions, int64_t rate);
