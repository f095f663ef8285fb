/* CRC-32C (Castagnoli), by the fastest way that this processor knows. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The checksum of `length` bytes, continuing from `seed` (0 starts anew). */
uint32_t crc32c(uint32_t seed, const uint8_t *bytes, size_t length);
/* "sse4.2", "armv8" or "table". */
const char *crc32c_method(void);
