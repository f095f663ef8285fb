/*
 * Preloaded beside librdkafka's test-runner on several brokers. Its tests ask for topics of one replica, which are gone for as
 * long as the one broker is that has them; here such a topic gets as many as the brokers give one by default.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

void *rd_kafka_NewTopic_new(const char *topic, int partitions, int replicas, char *error, size_t error_bytes) {
  void *(*real)(const char *, int, int, char *, size_t) = dlsym(RTLD_NEXT, "rd_kafka_NewTopic_new");
  return real(topic, partitions, replicas == 1 ? -1 : replicas, error, error_bytes);
}
