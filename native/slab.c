#include "slab.h"
#include <string.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };

static void free_pages(napi_env env, void *bytes, void *capacity) {
  (void)env, (void)capacity;
#ifdef __SANITIZE_ADDRESS__ /* which guards what malloc gives */
  free(bytes);
#else
  munmap(bytes, (size_t)(uintptr_t)capacity);
#endif
}

/* Straight from the system, which gives pages as they are written and has them back at once. */
static uint8_t *take_pages(size_t capacity) {
#ifdef __SANITIZE_ADDRESS__
  return malloc(capacity);
#else
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *bytes = mmap(NULL, capacity, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (bytes == MAP_FAILED) return NULL;
  madvise(bytes, capacity, MADV_NOHUGEPAGE); /* 2 MiB for the first byte, where they are the rule */
  return bytes;
#endif
}

static int class_of(size_t capacity) {
  int class = 0;
  while (class < SLAB_CLASSES && ((size_t)SLAB_BYTES_MIN << class) < capacity) class++;
  return class;
}

static void charge(SlabPool *pool, const Slab *slab, double bytes) {
  if (!slab->counted) return;
  *pool->held += bytes;
  if (slab->capacity > SMALL_SLAB_BYTES) pool->large += bytes;
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
    if (!slab->abandoned) {
      /* The ArrayBuffer gives its addresses back a turn later, so the memory goes first. */
      madvise(slab->bytes, slab->capacity, MADV_DONTNEED);
      napi_detach_arraybuffer(pool->env, buffer);
    }
    napi_close_handle_scope(pool->env, scope);
  } else {
    free_pages(NULL, slab->bytes, (void *)slab->capacity);
  }
  free(slab);
}

bool slab_is_short(const SlabPool *pool) {
  return *pool->held + pool->free_bytes > pool->short_bytes;
}

static void trim(SlabPool *pool) {
  for (int class = 0; class < SLAB_CLASSES; class++) {
    for (Slab *slab; (slab = pool->free[class]);) {
      pool->free[class] = slab->next;
      slab_destroy(pool, slab);
    }
  }
  pool->free_bytes = 0;
}

Slab *slab_take(SlabPool *pool, size_t capacity, bool counted) {
  int class = class_of(capacity);
  if (slab_is_short(pool)) trim(pool);
  Slab *slab = class < SLAB_CLASSES ? pool->free[class] : NULL;
  if (slab) {
    pool->free[class] = slab->next;
    pool->free_bytes -= (double)slab->touched;
  } else {
    if (class < SLAB_CLASSES) capacity = (size_t)SLAB_BYTES_MIN << class;
    else capacity = (capacity + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    uint8_t *bytes = take_pages(capacity);
    if (!bytes) return NULL;
    if (!(slab = calloc(1, sizeof *slab))) abort();
    slab->bytes = bytes;
    slab->capacity = capacity;
    slab->index = table_add(&pool->all, slab);
  }
  slab->references = 1;
  slab->counted = counted;
  charge(pool, slab, (double)slab->touched);
  return slab;
}

void slab_touch(SlabPool *pool, Slab *slab, size_t bytes) {
  size_t touched = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
  if (touched <= slab->touched) return;
  charge(pool, slab, (double)(touched - slab->touched));
  slab->touched = touched;
}

void slab_release(SlabPool *pool, Slab *slab) {
  if (--slab->references > 0) return;
  int class = class_of(slab->capacity);
  double touched = (double)slab->touched;
  charge(pool, slab, -touched);
#ifdef __SANITIZE_ADDRESS__ /* which does not see what a pool hands out again */
  if (!slab->abandoned) memset(slab->bytes, 0xdb, slab->touched);
#endif
  bool full = pool->free_bytes + touched > pool->kept_bytes_max || slab_is_short(pool);
  if (slab->abandoned || class == SLAB_CLASSES || full) {
    slab_destroy(pool, slab);
    return;
  }
  slab->next = pool->free[class];
  pool->free[class] = slab;
  pool->free_bytes += touched;
}

void slab_expose(SlabPool *pool, Slab *slab) {
  napi_value buffer, buffers;
  napi_handle_scope scope;
  if (slab->exposed) return;
  napi_open_handle_scope(pool->env, &scope);
  if (napi_create_external_arraybuffer(pool->env, slab->bytes, slab->capacity, free_pages,
                                       (void *)slab->capacity, &buffer) != napi_ok) abort();
  napi_get_reference_value(pool->env, pool->buffers, &buffers);
  napi_set_element(pool->env, buffers, slab->index, buffer);
  slab->exposed = true;
  napi_close_handle_scope(pool->env, scope);
}

void slab_pool_free(SlabPool *pool) {
  for (uint32_t at = 0; at < pool->all.used; at++) {
    Slab *slab = pool->all.items[at];
    if (slab && !slab->exposed) free_pages(NULL, slab->bytes, (void *)slab->capacity);
    free(slab);
  }
  table_free(&pool->all);
}
