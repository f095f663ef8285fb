/* Receive buffers that JavaScript sees without a copy, used again when nobody looks any more. */
#pragma once
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "table.h"

/* Capacities are powers of two from 64 KiB on; free ones are kept up to 64 MiB in all, 4 MiB each. */
enum { SLAB_BYTES_MIN = 64 * 1024, SLAB_CLASSES = 17, FREE_SLAB_BYTES_MAX = 64 * 1024 * 1024 };

typedef struct Slab {
  uint8_t *bytes;
  size_t capacity;
  /* The connection that receives into it, and each frame that JavaScript has not released. */
  uint32_t references;
  uint32_t index;
  /* JavaScript has an ArrayBuffer over it, which then owns the bytes. */
  bool exposed;
  /* A frame of it was given up unreleased: not used again, the garbage collector frees it. */
  bool abandoned;
  struct Slab *next;
} Slab;

typedef struct {
  napi_env env;
  /* A JavaScript array: the ArrayBuffer of each exposed slab, at the slab's index. */
  napi_ref buffers;
  Table all;
  Slab *free[SLAB_CLASSES];
  size_t free_bytes;
  /* Test builds: a released slab is overwritten, so that a use after release is seen. */
  bool poison;
} SlabPool;

/* One reference to a slab of at least `capacity` bytes, or NULL where memory is short. */
Slab *slab_take(SlabPool *pool, size_t capacity);
void slab_release(SlabPool *pool, Slab *slab);
/* Gives JavaScript an ArrayBuffer over the slab, unless it has one. */
void slab_expose(SlabPool *pool, Slab *slab);
/* At the end of the environment: frees whatever no ArrayBuffer owns. */
void slab_pool_free(SlabPool *pool);
