#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

int file_open(const char *path, int mode, File **out) {
  static const int flags[] = {O_RDONLY, O_RDWR, O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_CREAT};
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  struct stat entry;
  int fd = open(path, flags[mode] | O_CLOEXEC, 0644);
  if (fd < 0) return -errno;
  int error = 0;
  if (fstat(fd, &entry) < 0) error = errno;
  else if (S_ISDIR(entry.st_mode)) error = EISDIR;
  else if (mode == OPEN_LOCK && fcntl(fd, F_OFD_SETLK, &whole) < 0) error = errno;
  File *file = error ? NULL : malloc(sizeof *file);
  if (!file) {
    close(fd);
    return error ? -error : -ENOMEM;
  }
  atomic_init(&file->references, 1);
  atomic_init(&file->looked_up, 0);
  file->fd = fd;
  *out = file;
  return 0;
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

int64_t file_look_up(File *file, int64_t position, uint8_t *target, size_t length) {
  int64_t before = thread_device_bytes();
  int64_t read = file_read(file->fd, position, target, length);
  if (length > LOOK_UP_BYTES_MAX) return read;
  atomic_fetch_add(&file->looked_up, thread_device_bytes() - before);
  return read;
}

int file_residency(int fd, int64_t position, int64_t length, double pages[3]) {
  struct {
    uint64_t offset, length;
  } range = {(uint64_t)position, (uint64_t)length};
  struct {
    uint64_t cache, dirty, writeback, evicted, recently_evicted;
  } counts = {0};
  if (length > 0 && syscall(SYS_cachestat, fd, &range, &counts, 0) < 0) return -errno;
  pages[0] = (double)counts.cache, pages[1] = (double)counts.dirty;
  pages[2] = (double)counts.writeback;
  return 0;
}

int64_t thread_device_bytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return 512 * (int64_t)usage.ru_inblock;
}
