/* Open files: a counted descriptor, and the system calls on it, which return -errno. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* The descriptor is closed when the last holder lets go: the owner, queued ranges, running jobs. */
typedef struct {
  atomic_int references;
  int fd;
  /* What the device delivered to look-ups, until whoever sends a range answers for it. */
  atomic_llong looked_up;
} File;

/* Owns the descriptor; NULL where memory is short. */
File *file_new(int fd);
File *file_retain(File *file);
void file_release(File *file);

/* Writes every byte of parts that are not empty; `written` counts them, on error too. */
int file_write(int fd, int64_t position, struct iovec *parts, int count, size_t *written);
/* Reads until `length` bytes are there or the file ends. */
int64_t file_read(int fd, int64_t position, uint8_t *target, size_t length);
/* The same without waiting for the device: -EAGAIN where some of it is not in the page cache. */
int64_t file_read_now(int fd, int64_t position, uint8_t *target, size_t length);
/* One of both, in search of a range to send: what the device delivers is noted in `looked_up`. */
int64_t file_look_up(File *file, int64_t position, uint8_t *target, size_t length, bool now);
/* Pages of the range that are cached, dirty, under write-back: cachestat(2). */
int file_residency(int fd, int64_t position, int64_t length, double pages[3]);
/* 0 where cachestat(2) can be asked here, else -errno: a container may be denied it. */
int cachestat_probe(void);
/* The same of mincore(2), as `file_is_cached` asks it. */
int mincore_probe(void);
/* 1 where every page that was looked at is cached, 0 where not: mincore(2) of a part of each stretch, and of the end. */
int file_is_cached(int fd, int64_t position, int64_t length);
/* Asks the kernel to forget the clean pages wholly inside the range: posix_fadvise(2). */
int file_drop(int fd, int64_t position, int64_t length);
/* What devices delivered to this thread so far, read-ahead included: getrusage(2). */
int64_t thread_device_bytes(void);
