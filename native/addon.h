/* What every part of the addon shares: the state of one JavaScript environment, and the way back into it. */
#ifndef LOGCLUSTER_ADDON_H
#define LOGCLUSTER_ADDON_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "pool.h"
#include "slab.h"
#include "table.h"

/* The JavaScript functions that C calls; their order is that of `callbackNames` in binding.c. */
enum { JOB_DONE, ACCEPTED, ACCEPT_FAILED, FRAMES, DRAINED, CLOSED, CALLBACK_COUNT };

enum { ANSWER_LENGTH = 8, FRAMES_PER_TURN = 8192 };

struct Connection;

/* One per environment (main thread or worker thread); nothing here is shared between environments. */
typedef struct Addon {
  napi_env env;
  uv_loop_t *loop;
  napi_async_cleanup_hook_handle cleanup;
  napi_async_context context;
  napi_ref callbacks[CALLBACK_COUNT];
  bool started;
  /* Both sides see these: second results of a call; slab, offset and length of each frame of one poll. */
  double *answer;
  uint32_t *frames;
  Table files, streams, listeners, connections;
  Pool pool;
  SlabPool slabs;
  double bytes_received, bytes_sendfile, bytes_copied;
  /* Memory of requests: bytes in frames given to JavaScript, `frames_out` of them, and still arriving. */
  double held;
  uint32_t frames_out, starved_count;
  struct Connection *privileged;
  /* For small file ranges that leave in one piece with their header. */
  uint8_t scratch[SCRATCH_BYTES];
  /* libuv handles; the state is freed when the last one is closed. */
  int handles_open;
  bool ending;
} Addon;

/* Calls a JavaScript callback as the event loop does: ticks and microtasks run after it. Needs a handle scope. */
void addon_call(Addon *addon, int callback, size_t count, napi_value *arguments);
napi_value addon_number(Addon *addon, double value);
void addon_handle_closed(Addon *addon);

/* What binding.c puts together: each adds its functions to `exports`. */
void disk_register(Addon *addon, napi_value exports);
void disk_job_register(Addon *addon, napi_value exports);
void network_register(Addon *addon, napi_value exports);

#endif
