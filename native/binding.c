/* Puts the addon together: one state per environment, its exports, and its orderly end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "crc32c.h"
#include "file.h"

static const char *const callbackNames[CALL_COUNT] = {"jobDone", "accepted", "acceptFailed", "frames", "drained", "closed"};

static Addon *addon_new(napi_env env);
static void addon_end(napi_async_cleanup_hook_handle handle, void *argument);

/* (bytes, from, to, seed) => checksum; the range is cut to what is there. */
static napi_value checksum(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  Bytes bytes = bytes_of(env, call.values[0]);
  uint32_t from = 0, to = 0, seed = 0;
  napi_get_value_uint32(env, call.values[1], &from);
  napi_get_value_uint32(env, call.values[2], &to);
  napi_get_value_uint32(env, call.values[3], &seed);
  if (to > bytes.length) to = (uint32_t)bytes.length;
  return call_answer(&call, from < to ? crc32c(seed, bytes.data + from, to - from) : seed);
}

/* As `checksum`, always by tables. */
static napi_value checksum_portable(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  Bytes bytes = bytes_of(env, call.values[0]);
  return call_answer(&call, crc32c_portable((uint32_t)call_integer(&call, 1), bytes.data, bytes.length));
}

/* () => how checksums are made */
static napi_value checksum_method(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value text = NULL;
  napi_create_string_utf8(env, crc32c_method(), NAPI_AUTO_LENGTH, &text);
  return text;
}

/* (callbacks): an object with a function for each of `callbackNames`. Before this nothing calls JavaScript. */
static napi_value start(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  Addon *addon = call.addon;
  if (addon->started) return call_answer(&call, 0);
  for (int at = 0; at < CALL_COUNT; at++) {
    napi_value function;
    napi_get_named_property(env, call.values[0], callbackNames[at], &function);
    if (napi_create_reference(env, function, 1, &addon->callbacks[at]) != napi_ok) return NULL;
  }
  addon->started = true;
  return call_answer(&call, 1);
}

NAPI_MODULE_INIT() {
  Addon *addon = addon_new(env);
  if (!addon) {
    napi_throw_error(env, NULL, "the addon cannot start in this environment");
    return NULL;
  }
  static const Export list[] = {
      {"crc32c", checksum}, {"crc32cPortable", checksum_portable}, {"crc32cMethod", checksum_method}, {"start", start}};
  call_register(addon, exports, list, sizeof list / sizeof *list);
  disk_register(addon, exports);
  disk_job_register(addon, exports);
  napi_value answer;
  napi_get_reference_value(env, addon->answer_reference, &answer);
  napi_set_named_property(env, exports, "answer", answer);
  return exports;
}

/* A typed array that C and JavaScript both see, and that lives as long as the environment. */
static void *shared_array(Addon *addon, napi_typedarray_type type, size_t length, napi_ref *reference) {
  void *data = NULL;
  napi_value buffer, array;
  size_t size = type == napi_float64_array ? sizeof(double) : sizeof(uint32_t);
  napi_create_arraybuffer(addon->env, length * size, &data, &buffer);
  napi_create_typedarray(addon->env, type, length, buffer, 0, &array);
  napi_create_reference(addon->env, array, 1, reference);
  return data;
}

static Addon *addon_new(napi_env env) {
  Addon *addon = calloc(1, sizeof *addon);
  if (!addon) return NULL;
  napi_value name;
  addon->env = env;
  crc32c_prepare();
  napi_get_uv_event_loop(env, &addon->loop);
  napi_create_string_utf8(env, "logcluster", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &addon->context);
  addon->answer = shared_array(addon, napi_float64_array, ANSWER_LENGTH, &addon->answer_reference);
  if (pool_start(&addon->pool, addon->loop) != 0) {
    free(addon);
    return NULL;
  }
  addon_handle_opened(addon);
  napi_add_async_cleanup_hook(env, addon_end, addon, &addon->cleanup);
  return addon;
}

static void async_closed(uv_handle_t *handle) {
  addon_handle_closed((Addon *)((char *)handle - offsetof(Addon, pool.async)));
}

/* The environment ends: threads are joined, handles closed, and the state freed with the last of them. */
static void addon_end(napi_async_cleanup_hook_handle handle, void *argument) {
  Addon *addon = argument;
  (void)handle;
  addon->ending = true;
  pool_stop(&addon->pool);
  uv_close((uv_handle_t *)&addon->pool.async, async_closed);
}

void addon_handle_closed(Addon *addon) {
  if (--addon->handles_open > 0 || !addon->ending) return;
  for (uint32_t at = 0; at < addon->files.used; at++) {
    if (addon->files.items[at]) file_release(addon->files.items[at]);
  }
  for (uint32_t at = 0; at < addon->locks.used; at++) {
    if (addon->locks.items[at]) close((int)(intptr_t)addon->locks.items[at] - 1);
  }
  table_free(&addon->files);
  table_free(&addon->locks);
  napi_remove_async_cleanup_hook(addon->cleanup);
  free(addon);
}
