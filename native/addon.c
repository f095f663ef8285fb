#include "addon.h"

enum { NUMBERS_MAX = 4 };

Addon *addon_new(napi_env env) {
  Addon *addon = calloc(1, sizeof *addon);
  if (!addon) return NULL;
  addon->env = addon->memory.slabs.env = env;
  TAILQ_INIT(&addon->memory.waiting);
  napi_get_uv_event_loop(env, &addon->loop);
  napi_async_init(env, NULL, addon_text(addon, "logcluster"), &addon->context);
  if (pool_start(&addon->pool, addon->loop) != 0) {
    free(addon);
    return NULL;
  }
  addon_handle_opened(addon);
  return addon;
}

void addon_keep(Addon *addon, napi_value exports, const char *name, napi_value value) {
  napi_ref kept;
  napi_set_named_property(addon->env, exports, name, value);
  napi_create_reference(addon->env, value, 1, &kept);
}

static void *share(Addon *addon, napi_value exports, const char *name,
                   napi_typedarray_type type, size_t length) {
  void *data = NULL;
  napi_value buffer, array;
  size_t size = type == napi_float64_array ? sizeof(double) : 1;
  napi_create_arraybuffer(addon->env, length * size, &data, &buffer);
  napi_create_typedarray(addon->env, type, length, buffer, 0, &array);
  addon_keep(addon, exports, name, array);
  return data;
}

double *addon_array(Addon *addon, napi_value exports, const char *name, size_t length) {
  return share(addon, exports, name, napi_float64_array, length);
}

uint8_t *addon_bytes(Addon *addon, napi_value exports, const char *name, size_t length) {
  return share(addon, exports, name, napi_uint8_array, length);
}

void addon_constant(Addon *addon, napi_value constants, const char *name, double value) {
  napi_set_named_property(addon->env, constants, name, addon_number(addon, value));
}

void addon_constant_names(Addon *addon, napi_value constants, const char *name,
                          const char *const *names, uint32_t count) {
  napi_value list;
  napi_create_array(addon->env, &list);
  for (uint32_t at = 0; at < count; at++) {
    napi_set_element(addon->env, list, at, addon_text(addon, names[at]));
  }
  napi_object_freeze(addon->env, list);
  napi_set_named_property(addon->env, constants, name, list);
}

napi_value addon_number(Addon *addon, double value) {
  napi_value number = NULL;
  napi_create_double(addon->env, value, &number);
  return number;
}

napi_value addon_text(Addon *addon, const char *text) {
  napi_value string = NULL;
  napi_create_string_utf8(addon->env, text, NAPI_AUTO_LENGTH, &string);
  return string;
}

/* The callbacks catch what their listeners throw; what still comes out is uncaught. */
void addon_call_with(Addon *addon, int callback, size_t count, const napi_value *arguments) {
  napi_value function, receiver, error;
  bool thrown = false;
  if (addon->ending || !addon->started) return;
  napi_get_reference_value(addon->env, addon->callbacks[callback], &function);
  napi_get_global(addon->env, &receiver);
  napi_make_callback(addon->env, addon->context, receiver, function, count, arguments, NULL);
  napi_is_exception_pending(addon->env, &thrown);
  if (!thrown) return;
  napi_get_and_clear_last_exception(addon->env, &error);
  napi_fatal_exception(addon->env, error);
}

void addon_call(Addon *addon, int callback, size_t count, const double *numbers) {
  napi_handle_scope scope;
  napi_value arguments[NUMBERS_MAX];
  if (addon->ending) return;
  napi_open_handle_scope(addon->env, &scope);
  for (size_t at = 0; at < count; at++) arguments[at] = addon_number(addon, numbers[at]);
  addon_call_with(addon, callback, count, arguments);
  napi_close_handle_scope(addon->env, scope);
}

void addon_handle_opened(Addon *addon) {
  addon->handles_open++;
}

void addon_handle_closed(Addon *addon) {
  if (--addon->handles_open > 0 || !addon->ending) return;
  for (uint32_t at = 0; at < addon->files.used; at++) {
    if (addon->files.items[at]) file_release(addon->files.items[at]);
  }
  for (uint32_t at = 0; at < addon->streams.used; at++) {
    if (addon->streams.items[at]) stream_release(addon->streams.items[at]);
  }
  Table *tables[] = {&addon->files, &addon->streams, &addon->listeners, &addon->dials,
                     &addon->connections};
  for (size_t at = 0; at < sizeof tables / sizeof *tables; at++) table_free(tables[at]);
  slab_pool_free(&addon->memory.slabs);
  napi_remove_async_cleanup_hook(addon->cleanup);
  free(addon);
}
