/* The state of one JavaScript environment, and the way back into it. */
#pragma once
#include "pool.h"
#include "queue.h"
#include "receive.h"

/* The JavaScript functions that C calls; binding.c has their names. */
enum {
  JOB_DONE,
  ACCEPTED,
  ACCEPT_FAILED,
  CONNECTED,
  CONNECT_FAILED,
  FRAMES,
  DRAINED,
  COLD_ASKED,
  COLD_ENDED,
  CLOSED,
  CALLBACK_COUNT
};

enum { ANSWER_LENGTH = 7 };
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
  /* JavaScript sees these too: second results of a call, and counters. */
  double *answer, *counters;
  /* JavaScript writes these: a message's parts, and the bytes of small ones. */
  double *send_rows;
  uint8_t *send_bytes;
  /* What it has handles of. Who fills the last three knows what is in them. */
  Table files, streams, listeners, dials, connections;
  Pool pool;
  RequestMemory memory;
  /* For small file ranges that leave in one piece with their header. */
  uint8_t scratch[SCRATCH_BYTES];
  /* libuv handles; the state is freed when the last one is closed. */
  int handles_open;
  bool ending;
} Addon;

/* The state of `env`, its pool at work, or NULL. The caller sees to its arrays and its end. */
Addon *addon_new(napi_env env);
/* A Float64Array, or a Uint8Array, that JavaScript sees as `name` of `exports`. */
double *addon_array(Addon *addon, napi_value exports, const char *name, size_t length);
uint8_t *addon_bytes(Addon *addon, napi_value exports, const char *name, size_t length);
/* Sets a property that keeps its value for as long as the environment lives. */
void addon_keep(Addon *addon, napi_value exports, const char *name, napi_value value);
/* What JavaScript reads instead of writing it again: a number, or the names that numbers have. */
void addon_constant(Addon *addon, napi_value constants, const char *name, double value);
void addon_constant_names(Addon *addon, napi_value constants, const char *name,
                          const char *const *names, uint32_t count);
napi_value addon_number(Addon *addon, double value);
napi_value addon_text(Addon *addon, const char *text);

/* Calls a JavaScript callback as the event loop does: ticks and microtasks run after it. */
void addon_call(Addon *addon, int callback, size_t count, const double *numbers);
/* The same with arguments of any type; needs a handle scope. */
void addon_call_with(Addon *addon, int callback, size_t count, const napi_value *arguments);

void addon_handle_opened(Addon *addon);
/* At the end, with the last of them, the state is freed. */
void addon_handle_closed(Addon *addon);
