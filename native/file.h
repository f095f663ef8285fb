/* Open files: counted references over a descriptor, and the system calls on it. All return 0 or more, or -errno. */
#ifndef LOGCLUSTER_FILE_H
#define LOGCLUSTER_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* The descriptor is closed when the last holder lets go: the owner, queued ranges, running jobs. */
typedef struct {
  atomic_int references;
  int fd;
} File;

/* OPEN_LOCK makes the file where missing and takes an exclusive lock that ends with the descriptor. */
enum { OPEN_READ, OPEN_WRITE, OPEN_CREATE, OPEN_LOCK };

int file_open(const char *path, int mode, File **out);
File *file_retain(File *file);
void file_release(File *file);

/* Writes every byte, however often the kernel takes less; `written` counts those that went in before an error. */
int file_write(int fd, int64_t position, struct iovec *parts, int count, size_t *written);
/* Reads until `length` bytes are there or the file ends. */
int64_t file_read(int fd, int64_t position, uint8_t *target, size_t length);
/* Starts write-back of the range and waits until it is done. */
int file_write_back(int fd, int64_t position, int64_t length);

typedef struct {
  uint64_t cached, dirty, writeback;
} Pages;

/* Page counts of cachestat(2). */
int file_residency(int fd, int64_t position, int64_t length, Pages *pages);
/* How many pages the range touches. */
uint64_t file_pages(int64_t position, int64_t length);
int64_t file_page_size(void);

/* Opens what has that path, with more open flags, and lets `sync` (fsync, syncfs) make it durable. */
int path_sync(const char *path, int flags, int (*sync)(int));

#endif
