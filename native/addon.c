/* Handles, and the way back into JavaScript. */
#include "addon.h"

#include <stdlib.h>

#include "call.h"

uint32_t table_add(Table *table, void *item) {
  if (table->free_count > 0) {
    uint32_t index = table->free[--table->free_count];
    table->items[index] = item;
    return index;
  }
  if (table->used == table->capacity) {
    table->capacity = table->capacity ? 2 * table->capacity : 64;
    table->items = realloc(table->items, table->capacity * sizeof *table->items);
    table->free = realloc(table->free, table->capacity * sizeof *table->free);
    if (!table->items || !table->free) abort();
  }
  table->items[table->used] = item;
  return table->used++;
}

void *table_get(const Table *table, uint32_t index) {
  return index < table->used ? table->items[index] : NULL;
}

void *table_remove(Table *table, uint32_t index) {
  void *item = table_get(table, index);
  if (!item) return NULL;
  table->items[index] = NULL;
  table->free[table->free_count++] = index;
  return item;
}

void table_free(Table *table) {
  free(table->items);
  free(table->free);
}

napi_value addon_number(Addon *addon, double value) {
  napi_value number = NULL;
  napi_create_double(addon->env, value, &number);
  return number;
}

/* The callbacks catch what their listeners throw; whatever still comes out is the process's uncaught exception. */
void addon_call(Addon *addon, int callback, size_t count, napi_value *arguments) {
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

void addon_handle_opened(Addon *addon) {
  addon->handles_open++;
}

void call_register(Addon *addon, napi_value exports, const Export *list, size_t count) {
  for (size_t at = 0; at < count; at++) {
    napi_value function;
    napi_create_function(addon->env, list[at].name, NAPI_AUTO_LENGTH, list[at].function, addon, &function);
    napi_set_named_property(addon->env, exports, list[at].name, function);
  }
}
