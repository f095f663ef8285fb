/* Pointers by small integers: what JavaScript holds instead of an address. Freed indexes are used again. */
#ifndef LOGCLUSTER_TABLE_H
#define LOGCLUSTER_TABLE_H

#include <stdint.h>

typedef struct {
  void **items;
  uint32_t *free;
  uint32_t used, capacity, free_count;
} Table;

uint32_t table_add(Table *table, void *item);
/* NULL where the index is free. */
void *table_get(const Table *table, uint32_t index);
void *table_remove(Table *table, uint32_t index);
void table_free(Table *table);

#endif
