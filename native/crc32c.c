/*
 * The CRC instruction takes 3 cycles but one can start every cycle, so three stretches are walked
 * at once and joined then: a matrix over GF(2), kept as tables, moves a checksum over N zero bytes.
 */
#include "crc32c.h"
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define METHOD "sse4.2"
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define CRC_BYTE(crc, byte) _mm_crc32_u8(crc, byte)
#define CRC_WORD(crc, word) ((uint32_t)_mm_crc32_u64(crc, word))
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#define METHOD "armv8"
#define WITH_INSTRUCTION __attribute__((target("+crc")))
#define CRC_BYTE(crc, byte) __crc32cb(crc, byte)
#define CRC_WORD(crc, word) __crc32cd(crc, word)
#else
#error "the addon is for x86-64 and AArch64, which are little-endian"
#endif

enum { LONG_STRETCH = 4096, SHORT_STRETCH = 256, POLYNOMIAL = 0x82f63b78 };

static uint32_t bytewise[256];
static uint32_t over_long[4][256];
static uint32_t over_short[4][256];
static bool has_instruction;

static uint32_t by_table(uint32_t crc, const uint8_t *bytes, size_t length) {
  while (length--) crc = bytewise[(crc ^ *bytes++) & 0xff] ^ (crc >> 8);
  return crc;
}

/* The checksum of `crc` followed by as many zero bytes as `table` stands for. */
static uint32_t moved(uint32_t table[4][256], uint32_t crc) {
  return table[0][crc & 0xff] ^ table[1][(crc >> 8) & 0xff] ^ table[2][(crc >> 16) & 0xff] ^
         table[3][crc >> 24];
}

static void build_move(uint32_t table[4][256], size_t zeros) {
  static const uint8_t nothing[256];
  for (int slice = 0; slice < 4; slice++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t crc = byte << (8 * slice);
      for (size_t left = zeros; left > 0; left -= 256) crc = by_table(crc, nothing, 256);
      table[slice][byte] = crc;
    }
  }
}

__attribute__((constructor)) static void prepare(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
    bytewise[byte] = crc;
  }
  build_move(over_long, LONG_STRETCH);
  build_move(over_short, SHORT_STRETCH);
#if defined(__x86_64__)
  __builtin_cpu_init();
  has_instruction = __builtin_cpu_supports("sse4.2");
#else
  has_instruction = (getauxval(AT_HWCAP) & (1 << 7)) != 0; /* HWCAP_CRC32 */
#endif
}

static inline uint64_t word_at(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

/* Three neighbouring stretches at once. */
WITH_INSTRUCTION
static uint32_t three(uint32_t crc, const uint8_t *bytes, size_t stretch, uint32_t move[4][256]) {
  uint32_t first = crc, second = 0, third = 0;
  for (size_t at = 0; at < stretch; at += 8) {
    first = CRC_WORD(first, word_at(bytes + at));
    second = CRC_WORD(second, word_at(bytes + stretch + at));
    third = CRC_WORD(third, word_at(bytes + 2 * stretch + at));
  }
  return moved(move, moved(move, first) ^ second) ^ third;
}

WITH_INSTRUCTION static uint32_t by_instruction(uint32_t crc, const uint8_t *bytes, size_t length) {
  for (; length >= 3 * LONG_STRETCH; bytes += 3 * LONG_STRETCH, length -= 3 * LONG_STRETCH) {
    crc = three(crc, bytes, LONG_STRETCH, over_long);
  }
  for (; length >= 3 * SHORT_STRETCH; bytes += 3 * SHORT_STRETCH, length -= 3 * SHORT_STRETCH) {
    crc = three(crc, bytes, SHORT_STRETCH, over_short);
  }
  for (; length >= 8; bytes += 8, length -= 8) crc = CRC_WORD(crc, word_at(bytes));
  while (length--) crc = CRC_BYTE(crc, *bytes++);
  return crc;
}

uint32_t crc32c(uint32_t seed, const uint8_t *bytes, size_t length) {
  return ~(has_instruction ? by_instruction(~seed, bytes, length) : by_table(~seed, bytes, length));
}

const char *crc32c_method(void) {
  return has_instruction ? METHOD : "table";
}
