/* Puts the addon together: one state per environment, its exports, and its orderly end. */
#include <malloc.h>
#include "call.h"
#include "crc32c.h"
#include "disk-job.h"
#include "disk.h"
#include "network.h"
#include "records.h"

static const char *const callback_names[CALLBACK_COUNT] = {
    [JOB_DONE] = "jobDone",
    [ACCEPTED] = "accepted",
    [ACCEPT_FAILED] = "acceptFailed",
    [CONNECTED] = "connected",
    [CONNECT_FAILED] = "connectFailed",
    [FRAMES] = "frames",
    [DRAINED] = "drained",
    [COLD_ASKED] = "coldAsked",
    [COLD_ENDED] = "coldEnded",
    [CLOSED] = "closed",
};

static const char *const counter_names[COUNTER_COUNT] = {
    [RECEIVED] = "received",
    [SENT_BY_SENDFILE] = "sentBySendfile",
    [SENT_BY_COPY] = "sentByCopy",
    [HELD] = "held",
    [STARVED] = "starved",
};

/* The range of the first three arguments, (bytes, from, to), cut to what is there. */
static Bytes range(const Call *call) {
  static uint8_t nothing;
  Bytes bytes = bytes_of(call->env, call->values[0]);
  size_t from = (size_t)call_integer(call, 1), to = (size_t)call_integer(call, 2);
  if (to > bytes.length) to = bytes.length;
  return from < to ? (Bytes){bytes.data + from, to - from} : (Bytes){&nothing, 0};
}

/* (bytes, from, to, seed) => checksum */
static double checksum(Call *call) {
  Bytes bytes = range(call);
  return crc32c((uint32_t)call_integer(call, 3), bytes.data, bytes.length);
}

/* The upper half, signed, and the lower: no double holds all of it. */
static void halves(int64_t value, double answer[2]) {
  answer[0] = (double)(value >> 32);
  answer[1] = (double)(uint32_t)value;
}

/* (bytes, from, to) => count, and answer = whole, misplaced, keyless, halves of the two deltas */
static double walk_records(Call *call) {
  Bytes bytes = range(call);
  RecordWalk walk = records_walk(bytes.data, bytes.length);
  double *answer = call->addon->answer;
  answer[0] = walk.whole;
  answer[1] = (double)walk.misplaced;
  answer[2] = (double)walk.keyless;
  halves(walk.delta_min, answer + 3);
  halves(walk.delta_max, answer + 5);
  return (double)walk.count;
}

/* (callbacks): a function for each of `callback_names`, instead of those given before. */
static double start(Call *call) {
  Addon *addon = call->addon;
  for (int at = 0; at < CALLBACK_COUNT; at++) {
    napi_value function;
    napi_get_named_property(call->env, call->values[0], callback_names[at], &function);
    if (addon->started) napi_delete_reference(call->env, addon->callbacks[at]);
    napi_create_reference(call->env, function, 1, &addon->callbacks[at]);
  }
  addon->started = true;
  return 0;
}

static void pool_closed(uv_handle_t *handle) {
  addon_handle_closed((Addon *)((char *)handle - offsetof(Addon, pool.async)));
}

/* The end: threads are joined, handles closed, and the state freed with the last of them. */
static void end(napi_async_cleanup_hook_handle handle, void *argument) {
  Addon *addon = argument;
  (void)handle;
  addon->ending = true;
  pool_stop(&addon->pool);
  network_end(addon);
  uv_close((uv_handle_t *)&addon->pool.async, pool_closed);
}

/* What JavaScript sees all the time, without a call. */
static void share(Addon *addon, napi_value exports) {
  napi_value slabs;
  addon->answer = addon_array(addon, exports, "answer", ANSWER_LENGTH);
  addon->counters = addon_array(addon, exports, "counters", COUNTER_COUNT);
  RequestMemory *memory = &addon->memory;
  memory->received = &addon->counters[RECEIVED];
  memory->starved = &addon->counters[STARVED];
  memory->slabs.held = &addon->counters[HELD];
  memory->frames = addon_array(addon, exports, "frames", FRAME_ROW_LENGTH * FRAMES_PER_TURN);
  napi_create_array(addon->env, &slabs);
  napi_create_reference(addon->env, slabs, 1, &memory->slabs.buffers);
  addon_keep(addon, exports, "slabs", slabs);
}

NAPI_MODULE_INIT() {
  static const Export list[] = {
      PLAIN("crc32c", checksum, 0),
      PLAIN("walkRecords", walk_records, 0),
      PLAIN("start", start, 0),
  };
#ifdef M_MMAP_THRESHOLD /* else glibc raises it, and keeps what large buffers of Node's leave */
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
#endif
  Addon *addon = addon_new(env);
  if (!addon) {
    napi_throw_error(env, NULL, "the addon cannot start in this environment");
    return NULL;
  }
  napi_set_instance_data(env, addon, NULL, NULL);
  napi_add_async_cleanup_hook(env, end, addon, &addon->cleanup);
  napi_value constants;
  napi_create_object(env, &constants);
  share(addon, exports);
  call_register(addon, exports, list, sizeof list / sizeof *list);
  disk_register(addon, exports, constants);
  disk_job_register(addon, exports);
  network_register(addon, exports, constants);
  addon_constant_names(addon, constants, "counters", counter_names, COUNTER_COUNT);
  addon_keep(addon, exports, "crc32cMethod", addon_text(addon, crc32c_method()));
  napi_object_freeze(env, constants);
  addon_keep(addon, exports, "constants", constants);
  return exports;
}
