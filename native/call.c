#include "call.h"
#include <errno.h>

int64_t call_integer(const Call *call, int index) {
  int64_t value = 0;
  napi_get_value_int64(call->env, call->values[index], &value);
  return value;
}

bool call_text(const Call *call, int index, char *target, size_t size) {
  size_t length = 0;
  napi_status status =
      napi_get_value_string_utf8(call->env, call->values[index], target, size, &length);
  return status == napi_ok && length + 1 < size;
}

Bytes bytes_of(napi_env env, napi_value array) {
  void *data = NULL;
  size_t length = 0;
  napi_get_typedarray_info(env, array, NULL, &length, &data, NULL, NULL);
  return (Bytes){data, data ? length : 0};
}

static napi_value run(napi_env env, napi_callback_info info) {
  Call call = {.env = env};
  size_t count = CALL_ARGUMENTS;
  void *addon = NULL, *data = NULL;
  napi_get_instance_data(env, &addon);
  napi_get_cb_info(env, info, &count, call.values, NULL, &data);
  const Export *export = data;
  call.addon = addon;
  call.kind = export->kind;
  if (!export->of_file) return addon_number(addon, export->run(&call));
  call.file = table_get(&call.addon->files, (uint32_t)call_integer(&call, 0));
  return addon_number(addon, call.file ? export->run(&call) : -EBADF);
}

void call_register(Addon *addon, napi_value exports, const Export *list, size_t count) {
  for (size_t at = 0; at < count; at++) {
    napi_value function;
    void *data = (void *)(uintptr_t)&list[at];
    napi_create_function(addon->env, list[at].name, NAPI_AUTO_LENGTH, run, data, &function);
    napi_set_named_property(addon->env, exports, list[at].name, function);
  }
}
