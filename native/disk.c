#include "disk.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "call.h"

enum { PARTS_PER_CALL = 256 };
enum { DO_READ, DO_LOOK_UP, DO_LOOK_UP_NOW };

/* (descriptor) => file, which owns it */
static double adopt_file(Call *call) {
  File *file = file_new((int)call_integer(call, 0));
  return file ? (double)table_add(&call->addon->files, file) : -ENOMEM;
}

/* (file): nobody else's until it is closed. */
static double lock_file(Call *call) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(call->file->fd, F_OFD_SETLK, &whole) < 0 ? -errno : 0;
}

/* (file): the owner lets go. */
static double close_file(Call *call) {
  table_remove(&call->addon->files, (uint32_t)call_integer(call, 0));
  file_release(call->file);
  return 0;
}

/* (file, position, parts, at most PARTS_PER_CALL) => 0, and answer[0] = bytes that went in */
static double write_file(Call *call) {
  struct iovec parts[PARTS_PER_CALL];
  uint32_t count = 0;
  size_t written = 0;
  int used = 0;
  napi_get_array_length(call->env, call->values[2], &count);
  for (uint32_t at = 0; at < count && at < PARTS_PER_CALL; at++) {
    napi_value part;
    napi_get_element(call->env, call->values[2], at, &part);
    Bytes bytes = bytes_of(call->env, part);
    if (bytes.length > 0) parts[used++] = (struct iovec){bytes.data, bytes.length};
  }
  int result = file_write(call->file->fd, call_integer(call, 1), parts, used, &written);
  call->addon->answer[0] = (double)written;
  return result;
}

/* (file, position, target) => bytes read */
static double read_file(Call *call) {
  int64_t position = call_integer(call, 1);
  Bytes into = bytes_of(call->env, call->values[2]);
  if (call->kind == DO_READ) {
    return (double)file_read(call->file->fd, position, into.data, into.length);
  }
  bool now = call->kind == DO_LOOK_UP_NOW;
  return (double)file_look_up(call->file, position, into.data, into.length, now);
}

/* (file, position, length) => 0, and answer = pages cached, dirty, under write-back */
static double residency(Call *call) {
  int64_t position = call_integer(call, 1), length = call_integer(call, 2);
  return file_residency(call->file->fd, position, length, call->addon->answer);
}

/* () => 0 where it can be asked */
static double probe(Call *call) { return call->kind ? mincore_probe() : cachestat_probe(); }

/* (file, position, length) => 1 where what was looked at is cached, 0 where not */
static double is_cached(Call *call) {
  return file_is_cached(call->file->fd, call_integer(call, 1), call_integer(call, 2));
}

/* (file, length): place on the device, which does not show in the file's size */
static double reserve(Call *call) {
  int result;
  do result = fallocate(call->file->fd, FALLOC_FL_KEEP_SIZE, 0, call_integer(call, 1));
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

/* (file, position, length) */
static double drop_cache(Call *call) {
  return file_drop(call->file->fd, call_integer(call, 1), call_integer(call, 2));
}

void disk_register(Addon *addon, napi_value exports, napi_value constants) {
  static const Export list[] = {
      PLAIN("fileAdopt", adopt_file, 0),
      OF_FILE("fileClose", close_file, 0),
      OF_FILE("fileLock", lock_file, 0),
      OF_FILE("fileWrite", write_file, 0),
      OF_FILE("fileRead", read_file, DO_READ),
      OF_FILE("fileLookUp", read_file, DO_LOOK_UP),
      OF_FILE("fileLookUpNow", read_file, DO_LOOK_UP_NOW),
      OF_FILE("fileResidency", residency, 0),
      OF_FILE("fileIsCached", is_cached, 0),
      PLAIN("cachestatProbe", probe, 0),
      PLAIN("mincoreProbe", probe, 1),
      OF_FILE("fileReserve", reserve, 0),
      OF_FILE("fileDropCache", drop_cache, 0),
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
  addon_constant(addon, constants, "partsPerCall", PARTS_PER_CALL);
  addon_constant(addon, constants, "pageBytes", (double)sysconf(_SC_PAGESIZE));
}
