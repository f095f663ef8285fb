/*
 * The twin of src/broker/log/batch/record-walk.ts, which says what a record is. Every length is held
 * against the bytes that are left before it is believed; no number is longer than its type.
 */
#include "records.h"

/* What is not read yet. `broken`: something was not there, or not allowed; nothing after it counts. */
typedef struct {
  const uint8_t *at, *end;
  bool broken;
} Cursor;

static int64_t broken(Cursor *cursor) {
  cursor->broken = true;
  return 0;
}

static int64_t unzigzag(uint64_t raw) {
  return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

/* A zigzag number of more than one byte; its last byte lies at `shift_max` and is `last_max` at most. */
static int64_t long_number(Cursor *cursor, int shift_max, uint8_t last_max) {
  uint64_t raw = 0;
  for (int shift = 0; shift <= shift_max; shift += 7) {
    if (cursor->at >= cursor->end) return broken(cursor);
    uint8_t byte = *cursor->at++;
    if (shift == shift_max && byte > last_max) return broken(cursor);
    raw |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return unzigzag(raw);
  }
  return broken(cursor);
}

/* Nearly all numbers of a record are one byte. */
static inline int64_t number(Cursor *cursor, int shift_max, uint8_t last_max) {
  if (cursor->at < cursor->end && *cursor->at < 0x80) return unzigzag(*cursor->at++);
  return long_number(cursor, shift_max, last_max);
}

/* Of 32 bits: five bytes. */
static inline int64_t varint(Cursor *cursor) {
  return number(cursor, 28, 0x0f);
}

/* Of 64 bits: ten bytes. */
static inline int64_t varlong(Cursor *cursor) {
  return number(cursor, 63, 1);
}

/* Passes over bytes and the length before them, and gives it; -1 is null. */
static inline int64_t field(Cursor *cursor) {
  int64_t length = varint(cursor);
  if (length < -1 || length > cursor->end - cursor->at) return broken(cursor);
  if (length > 0) cursor->at += length;
  return length;
}

static void headers(Cursor *cursor) {
  int64_t count = varint(cursor);
  if (count < 0) broken(cursor);
  for (; count > 0 && !cursor->broken; count--) {
    if (field(cursor) < 0) broken(cursor);
    field(cursor);
  }
}

/* One record behind its length, all of `cursor`; false where it does not parse. */
static bool record(Cursor *cursor, RecordWalk *walk) {
  if (cursor->at == cursor->end) return false;
  cursor->at++; /* attributes, without a meaning so far */
  int64_t timestamp = varlong(cursor), offset = varint(cursor);
  bool keyless = field(cursor) < 0;
  field(cursor);
  headers(cursor);
  if (cursor->broken || cursor->at != cursor->end) return false;
  if (keyless && walk->keyless < 0) walk->keyless = walk->count;
  if (offset != walk->count && walk->misplaced < 0) walk->misplaced = walk->count;
  if (walk->count == 0 || timestamp < walk->delta_min) walk->delta_min = timestamp;
  if (walk->count == 0 || timestamp > walk->delta_max) walk->delta_max = timestamp;
  return true;
}

RecordWalk records_walk(const uint8_t *bytes, size_t length) {
  RecordWalk walk = {.misplaced = -1, .keyless = -1};
  Cursor batch = {.at = bytes, .end = bytes + length};
  while (batch.at < batch.end) {
    int64_t size = varint(&batch);
    if (batch.broken || size < 0 || size > batch.end - batch.at) return walk;
    Cursor inside = {.at = batch.at, .end = batch.at + size};
    if (!record(&inside, &walk)) return walk;
    batch.at += size;
    walk.count++;
  }
  walk.whole = true;
  return walk;
}
