#include "table.h"

#include <stddef.h>
#include <stdlib.h>

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
