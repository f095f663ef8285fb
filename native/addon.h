/* What every part of the addon shares: the state of one JavaScript environment, and its table of handles. */
#ifndef LOGCLUSTER_ADDON_H
#define LOGCLUSTER_ADDON_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "pool.h"
#include "slab.h"

/* The JavaScript functions that C calls; their order is that of `callbackNames` in binding.c. */
enum {
  CALL_JOB_DONE,
  CALL_ACCEPTED,
  CALL_ACCEPT_FAILED,
  CALL_FRAMES,
  CALL_DRAINED,
  CALL_CLOSED,
  CALL_COUNT
};

enum { ANSWER_LENGTH = 8 };

/* Pointers by small integers: what JavaScript holds instead of an address. Freed indexes are used again. */
typedef struct {
  void **items;
  uint32_t *free;
  uint32_t used, capacity, free_count;
} Table;

typedef struct {
  double received, sendfile, copied;
} Counters;

struct Connection;

/* One per environment (main thread or worker thread); nothing here is shared between environments. */
typedef struct Addon {
  napi_env env;
  uv_loop_t *loop;
  napi_async_cleanup_hook_handle cleanup;
  napi_async_context context;
  napi_ref callbacks[CALL_COUNT];
  bool started;
  /* Shared with JavaScript: second results of a call, and the frames of one poll (slab, offset, length each). */
  double *answer;
  uint32_t *frames;
  napi_ref answer_reference, frames_reference;
  Table files, locks, streams, listeners, connections;
  Pool pool;
  SlabPool slabs;
  Counters counters;
  /* Memory of requests: bytes in frames given to JavaScript and in frames still arriving. */
  double held;
  uint32_t frames_out;
  struct Connection *starved, *privileged;
  /* For small file ranges that leave in one piece with their header. */
  uint8_t *scratch;
  int handles_open;
  bool ending;
} Addon;

uint32_t table_add(Table *table, void *item);
void *table_get(const Table *table, uint32_t index);
void *table_remove(Table *table, uint32_t index);
void table_free(Table *table);

/* Calls a JavaScript callback as the event loop does: ticks and microtasks run after it. */
void addon_call(Addon *addon, int callback, size_t count, napi_value *arguments);
napi_value addon_number(Addon *addon, double value);
/* Every libuv handle is counted; the environment ends when the last one is closed. */
void addon_handle_opened(Addon *addon);
void addon_handle_closed(Addon *addon);

/* What binding.c puts together: each adds its functions to `exports`. */
void disk_register(Addon *addon, napi_value exports);
void disk_job_register(Addon *addon, napi_value exports);
void network_register(Addon *addon, napi_value exports);

#endif
