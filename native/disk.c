/* Files for JavaScript: what answers at once. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "call.h"

enum { PARTS_PER_CALL = 256 };

/* (path, mode) => file */
static double open_file(Call *call) {
  char path[PATH_MAX];
  int64_t mode = call_integer(call, 1);
  File *file = NULL;
  if (!call_text(call, 0, path, sizeof path)) return -ENAMETOOLONG;
  if (mode < OPEN_READ || mode > OPEN_LOCK) return -EINVAL;
  int result = file_open(path, (int)mode, &file);
  return result < 0 ? result : (double)table_add(&call->addon->files, file);
}

/* (file): the owner lets go. */
static double close_file(Call *call) {
  table_remove(&call->addon->files, (uint32_t)call_integer(call, 0));
  file_release(call->file);
  return 0;
}

/* (file) => bytes */
static double size_of_file(Call *call) {
  struct stat entry;
  return fstat(call->file->fd, &entry) < 0 ? -errno : (double)entry.st_size;
}

/* Gathers up to PARTS_PER_CALL parts that are not empty, from `*at` on; returns how many. */
static int gather(const Call *call, uint32_t *at, uint32_t count, struct iovec *parts) {
  int gathered = 0;
  napi_handle_scope scope;
  napi_open_handle_scope(call->env, &scope);
  for (; *at < count && gathered < PARTS_PER_CALL; (*at)++) {
    napi_value part;
    if (napi_get_element(call->env, call->values[2], *at, &part) != napi_ok) continue;
    Bytes bytes = bytes_of(call->env, part);
    if (bytes.length > 0) parts[gathered++] = (struct iovec){bytes.data, bytes.length};
  }
  napi_close_handle_scope(call->env, scope);
  return gathered;
}

/* (file, position, parts) => 0, and answer[0] = bytes that went in */
static double write_file(Call *call) {
  int64_t position = call_integer(call, 1);
  struct iovec parts[PARTS_PER_CALL];
  uint32_t count = 0, at = 0;
  int result = 0;
  double *total = &call->addon->answer[0];
  *total = 0;
  napi_get_array_length(call->env, call->values[2], &count);
  while (result == 0 && at < count) {
    size_t written = 0;
    int gathered = gather(call, &at, count, parts);
    result = file_write(call->file->fd, position + (int64_t)*total, parts, gathered, &written);
    *total += (double)written;
  }
  return result;
}

/* (file, position, target) => bytes read */
static double read_file(Call *call) {
  Bytes target = bytes_of(call->env, call->values[2]);
  return (double)file_look_up(call->file, call_integer(call, 1), target.data, target.length);
}

/* (file, length) */
static double truncate_file(Call *call) {
  return ftruncate(call->file->fd, call_integer(call, 1)) < 0 ? -errno : 0;
}

/* (file, position, length) => 0, and answer = pages cached, dirty, under write-back */
static double residency(Call *call) {
  int64_t position = call_integer(call, 1), length = call_integer(call, 2);
  return file_residency(call->file->fd, position, length, call->addon->answer);
}

/* (file, position, length) */
static double drop_cache(Call *call) {
  int64_t length = call_integer(call, 2);
  if (length <= 0) return 0; /* to the kernel a length of 0 means the rest of the file */
  return -posix_fadvise(call->file->fd, call_integer(call, 1), length, POSIX_FADV_DONTNEED);
}

void disk_register(Addon *addon, napi_value exports) {
  static const Export list[] = {
      PLAIN("fileOpen", open_file, 0),         OF_FILE("fileClose", close_file, 0),
      OF_FILE("fileSize", size_of_file, 0),    OF_FILE("fileWrite", write_file, 0),
      OF_FILE("fileRead", read_file, 0),       OF_FILE("fileTruncate", truncate_file, 0),
      OF_FILE("fileResidency", residency, 0),  OF_FILE("fileDropCache", drop_cache, 0),
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
}
