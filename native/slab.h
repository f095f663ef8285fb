/* Receive buffers that JavaScript sees without a copy, used again when nobody looks any more. */
#pragma once
#include <node_api.h>
#include <stdbool.h>
#include "table.h"

/*
 * Capacities are powers of two from 16 KiB to 4 MiB, of which free ones are kept, or larger. Above
 * SMALL_SLAB_BYTES they are for one large frame.
 */
enum { SLAB_BYTES_MIN = 16 * 1024, SLAB_CLASSES = 9, SMALL_SLAB_BYTES = 64 * 1024 };

typedef struct Slab {
  uint8_t *bytes;
  /* Addresses, and how many of them, from the first on, were ever written: only they are memory. */
  size_t capacity, touched;
  /* The connection that receives into it, and each frame that JavaScript has not released. */
  uint32_t references;
  uint32_t index;
  /* Against the memory of requests. */
  bool counted;
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
  /* Memory of counted slabs in use, of those of them that are large, and of free ones. */
  double *held, large, free_bytes;
  /* Free slabs are kept up to this; where more than `short_bytes` is in use or free, none are. */
  double kept_bytes_max, short_bytes;
} SlabPool;

/* Little is left: free slabs are not kept, and nothing is taken to be ready. */
bool slab_is_short(const SlabPool *pool);
/* One reference to a slab of at least `capacity` bytes, or NULL where there are no addresses. */
Slab *slab_take(SlabPool *pool, size_t capacity, bool counted);
/* The first `bytes` are about to be written, or have been. */
void slab_touch(SlabPool *pool, Slab *slab, size_t bytes);
void slab_release(SlabPool *pool, Slab *slab);
/* Gives JavaScript an ArrayBuffer over the slab, unless it has one. */
void slab_expose(SlabPool *pool, Slab *slab);
/* At the end of the environment: frees whatever no ArrayBuffer owns. */
void slab_pool_free(SlabPool *pool);
