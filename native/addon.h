/* What all parts share: the state of one JavaScript environment, and the way back into it. */
#pragma once
#include "pool.h"
#include "slab.h"

/* The JavaScript functions that C calls; their order is that of `callbackNames` in binding.c. */
enum { JOB_DONE, ACCEPTED, ACCEPT_FAILED, FRAMES, DRAINED, CLOSED, CALLBACK_COUNT };

enum { ANSWER_LENGTH = 4, FRAMES_PER_TURN = 8192 };
/* HELD: memory of slabs in use. STARVED: times that a connection had to wait for memory. */
enum { RECEIVED, SENT_BY_SENDFILE, SENT_BY_COPY, HELD, STARVED, COUNTER_COUNT };

/* One per environment (main or worker thread); nothing is shared between environments. */
typedef struct Addon {
  napi_env env;
  uv_loop_t *loop;
  napi_async_cleanup_hook_handle cleanup;
  napi_async_context context;
  napi_ref callbacks[CALLBACK_COUNT];
  bool started;
  /* JavaScript sees these too. Of each frame of one poll: slab, offset and length. */
  double *answer, *counters, *frames;
  Table files, streams, listeners, connections;
  Pool pool;
  SlabPool slabs;
  /* Frames that JavaScript has not released. */
  uint32_t frames_out, starved_count;
  int admitted_count;
  /* For small file ranges that leave in one piece with their header. */
  uint8_t scratch[SCRATCH_BYTES];
  /* libuv handles; the state is freed when the last one is closed. */
  int handles_open;
  bool ending;
} Addon;

/* Calls a JavaScript callback as the event loop does: ticks and microtasks run after it. */
void addon_call(Addon *addon, int callback, size_t count, const double *numbers);
/* The same with arguments of any type; needs a handle scope. */
void addon_call_with(Addon *addon, int callback, size_t count, const napi_value *arguments);
napi_value addon_number(Addon *addon, double value);
void addon_handle_closed(Addon *addon);

/* What binding.c puts together: each adds its functions to `exports`. */
void disk_register(Addon *addon, napi_value exports);
void disk_job_register(Addon *addon, napi_value exports);
void network_register(Addon *addon, napi_value exports);
