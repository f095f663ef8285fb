/* Files and locks for JavaScript: handles in, numbers out. A negative answer is an errno. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"
#include "file.h"

enum { PARTS_PER_CALL = 256 };

static File *file_of(const Call *call) {
  return table_get(&call->addon->files, call_index(call, 0));
}

/* (path, mode) => handle */
static napi_value open_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  char path[PATH_MAX];
  if (!call_text(&call, 0, path, sizeof path)) return call_answer(&call, -ENAMETOOLONG);
  int64_t mode = call_integer(&call, 1);
  if (mode < OPEN_READ || mode > OPEN_CREATE) return call_answer(&call, -EINVAL);
  File *file = NULL;
  int result = file_open(path, (int)mode, &file);
  return call_answer(&call, result < 0 ? result : (double)table_add(&call.addon->files, file));
}

/* (handle): the owner lets go. */
static napi_value close_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = table_remove(&call.addon->files, call_index(&call, 0));
  if (!file) return call_answer(&call, -EBADF);
  file_release(file);
  return call_answer(&call, 0);
}

/* (handle) => bytes */
static napi_value size_of_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  struct stat entry;
  if (!file) return call_answer(&call, -EBADF);
  return call_answer(&call, fstat(file->fd, &entry) < 0 ? -errno : (double)entry.st_size);
}

/* Gathers up to PARTS_PER_CALL parts from `first` on; returns how many. */
static int gather(const Call *call, uint32_t first, uint32_t count, struct iovec *parts) {
  int gathered = 0;
  napi_handle_scope scope;
  napi_open_handle_scope(call->env, &scope);
  for (uint32_t at = first; at < count && gathered < PARTS_PER_CALL; at++, gathered++) {
    napi_value part;
    if (napi_get_element(call->env, call->values[2], at, &part) != napi_ok) break;
    Bytes bytes = bytes_of(call->env, part);
    parts[gathered] = (struct iovec){bytes.data, bytes.length};
  }
  napi_close_handle_scope(call->env, scope);
  return gathered;
}

/* (handle, position, parts) => 0, and answer[0] = bytes that went in */
static napi_value write_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  int64_t position = call_integer(&call, 1);
  struct iovec parts[PARTS_PER_CALL];
  uint32_t count = 0, at = 0;
  int result = file ? 0 : -EBADF;
  double *total = &call.addon->answer[0];
  *total = 0;
  napi_get_array_length(env, call.values[2], &count);
  while (result == 0 && at < count) {
    int gathered = gather(&call, at, count, parts);
    if (gathered == 0) break;
    size_t written = 0;
    result = file_write(file->fd, position + (int64_t)*total, parts, gathered, &written);
    *total += (double)written;
    at += (uint32_t)gathered;
  }
  return call_answer(&call, result);
}

/* (handle, position, target) => bytes read */
static napi_value read_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  Bytes target = bytes_of(env, call.values[2]);
  if (!file) return call_answer(&call, -EBADF);
  return call_answer(&call, (double)file_read(file->fd, call_integer(&call, 1), target.data, target.length));
}

/* (handle, length) */
static napi_value truncate_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  if (!file) return call_answer(&call, -EBADF);
  return call_answer(&call, ftruncate(file->fd, call_integer(&call, 1)) < 0 ? -errno : 0);
}

/* (handle, position, length) => 0, and answer = bytes cached, dirty, under write-back */
static napi_value residency_of_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  Pages pages;
  if (!file) return call_answer(&call, -EBADF);
  int result = file_residency(file->fd, call_integer(&call, 1), call_integer(&call, 2), &pages);
  if (result < 0) return call_answer(&call, result);
  double size = (double)file_page_size();
  call.addon->answer[0] = size * (double)pages.cached;
  call.addon->answer[1] = size * (double)pages.dirty;
  call.addon->answer[2] = size * (double)pages.writeback;
  return call_answer(&call, 0);
}

/* (handle, position, length) => 1 where every page of the range is cached, else 0 */
static napi_value file_is_resident(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  int64_t position = call_integer(&call, 1), length = call_integer(&call, 2);
  Pages pages;
  if (!file) return call_answer(&call, -EBADF);
  int result = file_residency(file->fd, position, length, &pages);
  return call_answer(&call, result < 0 ? result : pages.cached >= file_pages(position, length));
}

/* (handle, position, length) */
static napi_value drop_cache(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  int64_t length = call_integer(&call, 2);
  if (!file) return call_answer(&call, -EBADF);
  if (length <= 0) return call_answer(&call, 0); /* to the kernel a length of 0 means the rest of the file */
  return call_answer(&call, -posix_fadvise(file->fd, call_integer(&call, 1), length, POSIX_FADV_DONTNEED));
}

/* (path) => 0, and answer as path_statistics */
static napi_value statistics_of_path(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  char path[PATH_MAX];
  if (!call_text(&call, 0, path, sizeof path)) return call_answer(&call, -ENAMETOOLONG);
  return call_answer(&call, path_statistics(path, call.addon->answer));
}

/* (path) => handle */
static napi_value lock_path(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  char path[PATH_MAX];
  if (!call_text(&call, 0, path, sizeof path)) return call_answer(&call, -ENAMETOOLONG);
  int fd = path_lock(path);
  if (fd < 0) return call_answer(&call, fd);
  return call_answer(&call, (double)table_add(&call.addon->locks, (void *)(intptr_t)(fd + 1)));
}

/* (handle) */
static napi_value unlock_path(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  void *lock = table_remove(&call.addon->locks, call_index(&call, 0));
  if (!lock) return call_answer(&call, -EBADF);
  close((int)(intptr_t)lock - 1);
  return call_answer(&call, 0);
}

void disk_register(Addon *addon, napi_value exports) {
  static const Export list[] = {
      {"fileOpen", open_file},           {"fileClose", close_file},         {"fileSize", size_of_file},
      {"fileWrite", write_file},         {"fileRead", read_file},           {"fileTruncate", truncate_file},
      {"fileResidency", residency_of_file}, {"fileIsResident", file_is_resident}, {"fileDropCache", drop_cache},
      {"pathStatistics", statistics_of_path}, {"pathLock", lock_path},      {"pathUnlock", unlock_path},
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
}
