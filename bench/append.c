/*
 * The limit of an append: CRC-32C of each chunk, then pwrite of it into the page cache.
 * append FILE BYTES CHUNK: prints seconds and processor seconds. Built with ../native/crc32c.c.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../native/crc32c.h"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  long bytes = atol(arguments[2]), chunk = atol(arguments[3]);
  uint8_t *data = malloc((size_t)chunk);
  int fd = open(arguments[1], O_RDWR | O_CREAT | O_EXCL, 0644);
  if (!data || fd < 0) return 1;
  memset(data, 7, (size_t)chunk);
  uint32_t sum = 0;
  double start = now(), processor = processor_seconds();
  for (long position = 0; position < bytes; position += chunk) {
    data[position / chunk % chunk]++;
    sum ^= crc32c(0, data, (size_t)chunk);
    if (pwrite(fd, data, (size_t)chunk, position) != chunk) return 1;
  }
  printf("%f %f %u\n", now() - start, processor_seconds() - processor, sum);
  return 0;
}
