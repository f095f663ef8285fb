/* Pointers by small integers, for JavaScript. Freed indexes are used again. */
#pragma once
#include <stdint.h>
#include <stdlib.h>

typedef struct {
  void **items;
  uint32_t *free;
  uint32_t used, capacity, free_count;
} Table;

static inline uint32_t table_add(Table *table, void *item) {
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

/* NULL where the index is free. */
static inline void *table_get(const Table *table, uint32_t index) {
  return index < table->used ? table->items[index] : NULL;
}

static inline void *table_remove(Table *table, uint32_t index) {
  void *item = table_get(table, index);
  if (!item) return NULL;
  table->items[index] = NULL;
  table->free[table->free_count++] = index;
  return item;
}

static inline void table_free(Table *table) {
  free(table->items);
  free(table->free);
}
