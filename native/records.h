/* Records of an uncompressed batch (format 2), walked without a copy. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  /* Records that parse. Whole: they are all that there is. */
  int64_t count;
  bool whole;
  /* The first record whose offset delta is not its place, and the first without a key; or -1. */
  int64_t misplaced, keyless;
  /* Of timestamps; 0 where there is no record. */
  int64_t delta_min, delta_max;
} RecordWalk;

/* `bytes` is what stands behind a batch's header. */
RecordWalk records_walk(const uint8_t *bytes, size_t length);
