/* One call from JavaScript: its arguments by position. What is missing or of another type reads as 0 or nothing. */
#ifndef LOGCLUSTER_CALL_H
#define LOGCLUSTER_CALL_H

#include "addon.h"

enum { CALL_ARGUMENTS = 8 };

typedef struct {
  Addon *addon;
  napi_env env;
  napi_value values[CALL_ARGUMENTS];
} Call;

typedef struct {
  uint8_t *data;
  size_t length;
} Bytes;

typedef struct {
  const char *name;
  napi_callback function;
} Export;

static inline Call call_begin(napi_env env, napi_callback_info info) {
  Call call = {.env = env};
  size_t count = CALL_ARGUMENTS;
  void *addon = NULL;
  napi_get_cb_info(env, info, &count, call.values, NULL, &addon);
  call.addon = addon;
  return call;
}

static inline int64_t call_integer(const Call *call, int index) {
  int64_t value = 0;
  napi_get_value_int64(call->env, call->values[index], &value);
  return value;
}

static inline uint32_t call_index(const Call *call, int index) {
  return (uint32_t)call_integer(call, index);
}

static inline Bytes bytes_of(napi_env env, napi_value value) {
  void *data = NULL;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, NULL, &length, &data, NULL, NULL) != napi_ok) length = 0;
  return (Bytes){data, length};
}

/* Copies a string with its end mark into `target`; false where it does not fit. */
static inline bool call_text(const Call *call, int index, char *target, size_t size) {
  size_t length = 0;
  napi_status status = napi_get_value_string_utf8(call->env, call->values[index], target, size, &length);
  return status == napi_ok && length + 1 < size;
}

static inline napi_value call_answer(const Call *call, double value) {
  return addon_number(call->addon, value);
}

void call_register(Addon *addon, napi_value exports, const Export *list, size_t count);

#endif
