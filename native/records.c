/*
 * The twin of src/broker/log/batch/record-walk.ts, whose RecordCursor says what a record is. Every
 * length is held against the bytes that are left before it is believed; no number is longer than
 * its type. Numbers go from hand to hand by value, so that they stay in registers.
 */
#include "records.h"

/* One that was read, and what stands behind it; `next` is NULL where it does not parse. */
typedef struct {
  const uint8_t *next;
  int64_t value;
} Number;

static int64_t unzigzag(uint64_t raw) {
  return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

/* Any zigzag number. What a byte at `shift_max` holds is `last_max` at most. */
static Number any_number(const uint8_t *at, const uint8_t *end, int shift_max, uint8_t last_max) {
  uint64_t raw = 0;
  for (int shift = 0; shift <= shift_max && at < end; shift += 7) {
    uint8_t byte = *at++;
    if (shift == shift_max && byte > last_max) break;
    raw |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return (Number){at, unzigzag(raw)};
  }
  return (Number){NULL, 0};
}

/* Nearly all numbers of a record have one byte or two. */
static inline Number number(const uint8_t *at, const uint8_t *end, int shift_max,
                            uint8_t last_max) {
  if (end - at < 2) return any_number(at, end, shift_max, last_max);
  if (at[0] < 0x80) return (Number){at + 1, unzigzag(at[0])};
  if (at[1] < 0x80) return (Number){at + 2, unzigzag((at[0] & 0x7fu) | (unsigned)at[1] << 7)};
  return any_number(at, end, shift_max, last_max);
}

/* Of 32 bits: five bytes. */
static inline Number varint(const uint8_t *at, const uint8_t *end) {
  return number(at, end, 28, 0x0f);
}

/* Of 64 bits: ten bytes. */
static inline Number varlong(const uint8_t *at, const uint8_t *end) {
  return number(at, end, 63, 1);
}

/* A length, at least `least`, and the bytes that it counts; -1 is null. */
static inline Number field(const uint8_t *at, const uint8_t *end, int least) {
  Number length = varint(at, end);
  if (!length.next || length.value < least || length.value > end - length.next) {
    return (Number){NULL, 0};
  }
  if (length.value > 0) length.next += length.value;
  return length;
}

/* What stands behind the headers, or NULL. */
static const uint8_t *headers(const uint8_t *at, const uint8_t *end) {
  Number count = varint(at, end);
  if (!count.next || count.value < 0) return NULL;
  at = count.next;
  for (int64_t left = count.value; at && left > 0; left--) {
    Number key = field(at, end, 0);
    at = key.next ? field(key.next, end, -1).next : NULL;
  }
  return at;
}

static void note(RecordWalk *walk, int64_t timestamp, int64_t offset, bool keyless) {
  if (keyless && walk->keyless < 0) walk->keyless = walk->count;
  if (offset != walk->count && walk->misplaced < 0) walk->misplaced = walk->count;
  if (walk->count == 0 || timestamp < walk->delta_min) walk->delta_min = timestamp;
  if (walk->count == 0 || timestamp > walk->delta_max) walk->delta_max = timestamp;
  walk->count++;
}

/* One record behind its length, all of [at, end); false where it does not parse. */
static inline bool record(const uint8_t *at, const uint8_t *end, RecordWalk *walk) {
  if (at == end) return false;
  Number timestamp = varlong(at + 1, end); /* behind attributes, without a meaning so far */
  if (!timestamp.next) return false;
  Number offset = varint(timestamp.next, end);
  if (!offset.next) return false;
  Number key = field(offset.next, end, -1);
  if (!key.next) return false;
  Number value = field(key.next, end, -1);
  if (!value.next || headers(value.next, end) != end) return false;
  note(walk, timestamp.value, offset.value, key.value < 0);
  return true;
}

RecordWalk records_walk(const uint8_t *bytes, size_t length) {
  RecordWalk walk = {.misplaced = -1, .keyless = -1};
  const uint8_t *at = bytes, *end = bytes + length;
  while (at < end) {
    Number size = field(at, end, 0);
    if (!size.next || !record(size.next - size.value, size.next, &walk)) return walk;
    at = size.next;
  }
  walk.whole = true;
  return walk;
}
