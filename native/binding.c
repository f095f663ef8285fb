/* Puts the addon together: one state per environment, its exports, and its orderly end. */
#include <malloc.h>
#include <unistd.h>
#include "call.h"
#include "connection.h"
#include "crc32c.h"

static const char *const callbackNames[CALLBACK_COUNT] = {"jobDone", "accepted", "acceptFailed",
                                                          "frames",  "drained",  "closed"};

/* (bytes, from, to, seed) => checksum; the range is cut to what is there. */
static double checksum(Call *call) {
  Bytes bytes = bytes_of(call->env, call->values[0]);
  size_t from = (size_t)call_integer(call, 1), to = (size_t)call_integer(call, 2);
  uint32_t seed = (uint32_t)call_integer(call, 3);
  if (to > bytes.length) to = bytes.length;
  return from < to ? crc32c(seed, bytes.data + from, to - from) : seed;
}

/* (callbacks): a function for each of `callbackNames`, instead of those given before. */
static double start(Call *call) {
  Addon *addon = call->addon;
  for (int at = 0; at < CALLBACK_COUNT; at++) {
    napi_value function;
    napi_get_named_property(call->env, call->values[0], callbackNames[at], &function);
    if (addon->started) napi_delete_reference(call->env, addon->callbacks[at]);
    napi_create_reference(call->env, function, 1, &addon->callbacks[at]);
  }
  addon->slabs.poison = getenv("LOGCLUSTER_POISON") != NULL;
  addon->started = true;
  return 0;
}

static void export(Addon *addon, napi_value exports, const char *name, napi_value value) {
  napi_ref kept; /* for as long as the environment lives */
  napi_set_named_property(addon->env, exports, name, value);
  napi_create_reference(addon->env, value, 1, &kept);
}

/* A typed array that C and JavaScript both see. */
static double *export_array(Addon *addon, napi_value exports, const char *name, size_t length) {
  void *data = NULL;
  napi_value buffer, array;
  napi_create_arraybuffer(addon->env, length * sizeof(double), &data, &buffer);
  napi_create_typedarray(addon->env, napi_float64_array, length, buffer, 0, &array);
  export(addon, exports, name, array);
  return data;
}

static void pool_closed(uv_handle_t *handle) {
  addon_handle_closed((Addon *)((char *)handle - offsetof(Addon, pool.async)));
}

/* The end: threads are joined, handles closed, and the state freed with the last of them. */
static void addon_end(napi_async_cleanup_hook_handle handle, void *argument) {
  Addon *addon = argument;
  (void)handle;
  addon->ending = true;
  pool_stop(&addon->pool);
  for (uint32_t at = 0; at < addon->connections.used; at++) {
    Connection *connection = addon->connections.items[at];
    if (connection) connection_close(connection, BY_US, 0);
  }
  for (uint32_t at = 0; at < addon->listeners.used; at++) {
    if (addon->listeners.items[at]) listener_close(addon->listeners.items[at]);
  }
  uv_close((uv_handle_t *)&addon->pool.async, pool_closed);
}

static Addon *addon_new(napi_env env, napi_value exports) {
  Addon *addon = calloc(1, sizeof *addon);
  if (!addon) return NULL;
  napi_value value;
  addon->env = addon->slabs.env = env;
#ifdef M_MMAP_THRESHOLD /* else glibc raises it, and keeps what large buffers of Node's leave */
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
#endif
  napi_set_instance_data(env, addon, NULL, NULL);
  napi_get_uv_event_loop(env, &addon->loop);
  napi_create_string_utf8(env, "logcluster", NAPI_AUTO_LENGTH, &value);
  napi_async_init(env, NULL, value, &addon->context);
  napi_create_string_utf8(env, crc32c_method(), NAPI_AUTO_LENGTH, &value);
  export(addon, exports, "crc32cMethod", value);
  export(addon, exports, "pageBytes", addon_number(addon, (double)sysconf(_SC_PAGESIZE)));
  napi_create_array(env, &value);
  napi_create_reference(env, value, 1, &addon->slabs.buffers);
  export(addon, exports, "slabs", value);
  addon->answer = export_array(addon, exports, "answer", ANSWER_LENGTH);
  addon->counters = export_array(addon, exports, "counters", COUNTER_COUNT);
  addon->slabs.held = &addon->counters[HELD];
  addon->frames = export_array(addon, exports, "frames", 3 * FRAMES_PER_TURN);
  if (pool_start(&addon->pool, addon->loop) != 0) {
    free(addon);
    return NULL;
  }
  addon->handles_open = 1;
  napi_add_async_cleanup_hook(env, addon_end, addon, &addon->cleanup);
  return addon;
}

void addon_handle_closed(Addon *addon) {
  if (--addon->handles_open > 0 || !addon->ending) return;
  for (uint32_t at = 0; at < addon->files.used; at++) {
    if (addon->files.items[at]) file_release(addon->files.items[at]);
  }
  for (uint32_t at = 0; at < addon->streams.used; at++) {
    if (addon->streams.items[at]) stream_release(addon->streams.items[at]);
  }
  Table *tables[] = {&addon->files, &addon->streams, &addon->listeners, &addon->connections};
  for (size_t at = 0; at < sizeof tables / sizeof *tables; at++) table_free(tables[at]);
  slab_pool_free(&addon->slabs);
  napi_remove_async_cleanup_hook(addon->cleanup);
  free(addon);
}

NAPI_MODULE_INIT() {
  static const Export list[] = {PLAIN("crc32c", checksum, 0), PLAIN("start", start, 0)};
  Addon *addon = addon_new(env, exports);
  if (!addon) {
    napi_throw_error(env, NULL, "the addon cannot start in this environment");
    return NULL;
  }
  call_register(addon, exports, list, sizeof list / sizeof *list);
  disk_register(addon, exports);
  disk_job_register(addon, exports);
  network_register(addon, exports);
  return exports;
}
