#include "slab.h"
#include <stdlib.h>
#include <string.h>

static int class_of(size_t capacity) {
  int class = 0;
  while (class < SLAB_CLASSES - 1 && ((size_t)SLAB_BYTES_MIN << class) < capacity) class++;
  return class;
}

Slab *slab_take(SlabPool *pool, size_t capacity) {
  int class = class_of(capacity);
  Slab *slab = pool->free[class];
  if (slab) {
    pool->free[class] = slab->next;
    pool->free_bytes -= slab->capacity;
  } else {
    uint8_t *bytes = malloc((size_t)SLAB_BYTES_MIN << class);
    if (!bytes || !(slab = calloc(1, sizeof *slab))) {
      free(bytes);
      return NULL;
    }
    slab->bytes = bytes;
    slab->capacity = (size_t)SLAB_BYTES_MIN << class;
    slab->index = table_add(&pool->all, slab);
  }
  slab->references = 1;
  return slab;
}

/* Views that JavaScript still holds become empty, but for those of an abandoned slab. */
static void slab_destroy(SlabPool *pool, Slab *slab) {
  table_remove(&pool->all, slab->index);
  if (slab->exposed) {
    napi_value buffer, buffers, nothing;
    napi_handle_scope scope;
    napi_open_handle_scope(pool->env, &scope);
    napi_get_reference_value(pool->env, pool->buffers, &buffers);
    napi_get_element(pool->env, buffers, slab->index, &buffer);
    napi_get_null(pool->env, &nothing);
    napi_set_element(pool->env, buffers, slab->index, nothing);
    if (!slab->abandoned) napi_detach_arraybuffer(pool->env, buffer);
    napi_close_handle_scope(pool->env, scope);
  } else {
    free(slab->bytes);
  }
  free(slab);
}

void slab_release(SlabPool *pool, Slab *slab) {
  if (--slab->references > 0) return;
  if (pool->poison && !slab->abandoned) memset(slab->bytes, 0xdb, slab->capacity);
  if (slab->abandoned || slab->capacity > FREE_SLAB_BYTES_MAX / 16 ||
      pool->free_bytes + slab->capacity > FREE_SLAB_BYTES_MAX) {
    slab_destroy(pool, slab);
    return;
  }
  int class = class_of(slab->capacity);
  slab->next = pool->free[class];
  pool->free[class] = slab;
  pool->free_bytes += slab->capacity;
}

static void free_bytes(napi_env env, void *bytes, void *hint) {
  (void)env, (void)hint;
  free(bytes);
}

void slab_expose(SlabPool *pool, Slab *slab) {
  napi_value buffer, buffers;
  napi_handle_scope scope;
  if (slab->exposed) return;
  napi_open_handle_scope(pool->env, &scope);
  napi_status made = napi_create_external_arraybuffer(pool->env, slab->bytes, slab->capacity,
                                                      free_bytes, NULL, &buffer);
  if (made != napi_ok) abort();
  napi_get_reference_value(pool->env, pool->buffers, &buffers);
  napi_set_element(pool->env, buffers, slab->index, buffer);
  slab->exposed = true;
  napi_close_handle_scope(pool->env, scope);
}

void slab_pool_free(SlabPool *pool) {
  for (uint32_t at = 0; at < pool->all.used; at++) {
    Slab *slab = pool->all.items[at];
    if (slab && !slab->exposed) free(slab->bytes);
    free(slab);
  }
  table_free(&pool->all);
}
