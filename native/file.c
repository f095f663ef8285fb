#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
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

/* A file of our own: of other people's the kernel may tell nothing, or too much. -errno */
static int own_page(void) {
  int fd = memfd_create("logcluster-probe", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  if (write(fd, "", 1) == 1) return fd;
  int error = errno;
  close(fd);
  return -error;
}

int cachestat_probe(void) {
  double pages[3];
  int fd = own_page();
  if (fd < 0) return fd;
  int result = file_residency(fd, 0, 1, pages);
  close(fd);
  return result;
}

int mincore_probe(void) {
  int fd = own_page();
  if (fd < 0) return fd;
  int result = file_is_cached(fd, 0, 1);
  close(fd);
  if (result == 0) return -ENOSYS; /* it says that what was just written is not there */
  return result < 0 ? result : 0;
}

enum { SAMPLE_BYTES = 64 << 10, STRETCH_BYTES = 256 << 10, SMALLEST_PAGE = 4096 };

/* At most SAMPLE_BYTES of a mapping. */
static int sample(uint8_t *from, int64_t length) {
  unsigned char pages[SAMPLE_BYTES / SMALLEST_PAGE];
  int64_t page = sysconf(_SC_PAGESIZE);
  if (mincore(from, (size_t)length, pages) < 0) return -errno;
  for (int64_t at = 0; at * page < length; at++) {
    if (!(pages[at] & 1)) return 0;
  }
  return 1;
}

int file_is_cached(int fd, int64_t position, int64_t length) {
  if (length <= 0) return 1;
  int64_t page = sysconf(_SC_PAGESIZE);
  int64_t skipped = position % page, bytes = length + skipped;
  uint8_t *map = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, fd, position - skipped);
  if (map == MAP_FAILED) return -errno;
  int result = 1;
  for (int64_t at = 0; at < bytes && result == 1; at += STRETCH_BYTES) {
    int64_t rest = bytes - at;
    result = sample(map + at, rest < SAMPLE_BYTES ? rest : SAMPLE_BYTES);
  }
  int64_t last = (bytes - 1) / page * page;
  if (result == 1) result = sample(map + last, bytes - last);
  munmap(map, (size_t)bytes);
  return result;
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
