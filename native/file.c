#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

File *file_new(int fd) {
  File *file = malloc(sizeof *file);
  if (!file) return NULL;
  atomic_init(&file->references, 1);
  atomic_init(&file->looked_up, 0);
  file->fd = fd;
  return file;
}

File *file_retain(File *file) {
  atomic_fetch_add(&file->references, 1);
  return file;
}

void file_release(File *file) {
  if (atomic_fetch_sub(&file->references, 1) > 1) return;
  close(file->fd);
  free(file);
}

int file_write(int fd, int64_t position, struct iovec *parts, int count, size_t *written) {
  *written = 0;
  while (count > 0) {
    ssize_t taken = pwritev(fd, parts, count, position + (int64_t)*written);
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return taken < 0 ? -errno : -EIO;
    *written += (size_t)taken;
    while (count > 0 && (size_t)taken >= parts->iov_len) {
      taken -= (ssize_t)parts->iov_len;
      parts++, count--;
    }
    if (count > 0) {
      parts->iov_base = (uint8_t *)parts->iov_base + taken;
      parts->iov_len -= (size_t)taken;
    }
  }
  return 0;
}

int64_t file_read(int fd, int64_t position, uint8_t *target, size_t length) {
  size_t read = 0;
  while (read < length) {
    ssize_t taken = pread(fd, target + read, length - read, position + (int64_t)read);
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return taken < 0 ? -errno : (int64_t)read;
    read += (size_t)taken;
  }
  return (int64_t)read;
}

int64_t file_read_now(int fd, int64_t position, uint8_t *target, size_t length) {
  struct iovec part = {target, length};
  ssize_t read;
  do read = preadv2(fd, &part, 1, position, RWF_NOWAIT);
  while (read < 0 && errno == EINTR);
  if (read < 0) return -errno;
  return (size_t)read < length ? -EAGAIN : read;
}

int64_t file_look_up(File *file, int64_t position, uint8_t *target, size_t length, bool now) {
  int64_t before = thread_device_bytes();
  int64_t read = now ? file_read_now(file->fd, position, target, length)
                     : file_read(file->fd, position, target, length);
  atomic_fetch_add(&file->looked_up, thread_device_bytes() - before);
  return read;
}

int file_residency(int fd, int64_t position, int64_t length, double pages[3]) {
  uint64_t range[2] = {(uint64_t)position, (uint64_t)length};
  uint64_t counts[5] = {0}; /* cached, dirty, under write-back, and two of what was evicted */
  if (length > 0 && syscall(SYS_cachestat, fd, range, counts, 0) < 0) return -errno;
  for (int at = 0; at < 3; at++) pages[at] = (double)counts[at];
  return 0;
}

int file_drop(int fd, int64_t position, int64_t length) {
  if (length <= 0) return 0; /* to the kernel a length of 0 means the rest of the file */
  return -posix_fadvise(fd, position, length, POSIX_FADV_DONTNEED);
}

int64_t thread_device_bytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return 512 * (int64_t)usage.ru_inblock;
}
