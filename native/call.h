/* One call from JavaScript: arguments by position, a number back. A wrong type reads as 0. */
#pragma once
#include "addon.h"

enum { CALL_ARGUMENTS = 8 };

typedef struct {
  Addon *addon;
  napi_env env;
  /* Where the export is `of_file`: the file that the first argument names. */
  File *file;
  int kind;
  napi_value values[CALL_ARGUMENTS];
} Call;

/* A negative answer is an errno. `kind` is for functions that stand behind several names. */
typedef struct {
  const char *name;
  double (*run)(Call *call);
  bool of_file;
  int kind;
} Export;

#define PLAIN(name, run, kind) {name, run, false, kind}
#define OF_FILE(name, run, kind) {name, run, true, kind}

typedef struct {
  uint8_t *data;
  size_t length;
} Bytes;

int64_t call_integer(const Call *call, int index);
/* Copies a string with its end mark into `target`; false where it does not fit. */
bool call_text(const Call *call, int index, char *target, size_t size);
/* Of a typed array; `length` counts elements. */
Bytes bytes_of(napi_env env, napi_value array);
void call_register(Addon *addon, napi_value exports, const Export *list, size_t count);
