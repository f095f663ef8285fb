/* Disk calls that may have to wait for the device: run by the pool, answered through `jobDone(id, result)`. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "file.h"

enum { JOB_READ, JOB_SYNC, JOB_WRITE_BACK, JOB_SYNC_DIRECTORY, JOB_SYNC_FILE_SYSTEM };

typedef struct {
  Job job;
  Addon *addon;
  double id;
  int kind;
  File *file;
  int64_t position, length, result;
  uint8_t *target;
  char path[PATH_MAX];
} DiskJob;

static void work(Job *job, uint8_t *scratch) {
  DiskJob *disk = (DiskJob *)job;
  (void)scratch;
  switch (disk->kind) {
    case JOB_READ:
      disk->result = file_read(disk->file->fd, disk->position, disk->target, (size_t)disk->length);
      break;
    case JOB_SYNC:
      disk->result = fdatasync(disk->file->fd) < 0 ? -errno : 0;
      break;
    case JOB_WRITE_BACK:
      disk->result = file_write_back(disk->file->fd, disk->position, disk->length);
      break;
    case JOB_SYNC_DIRECTORY:
      disk->result = path_sync_directory(disk->path);
      break;
    default:
      disk->result = path_sync_file_system(disk->path);
  }
}

static void done(Job *job, bool alive) {
  DiskJob *disk = (DiskJob *)job;
  Addon *addon = disk->addon;
  double id = disk->id, result = (double)disk->result;
  if (disk->file) file_release(disk->file);
  free(disk);
  if (!alive) return;
  napi_handle_scope scope;
  napi_open_handle_scope(addon->env, &scope);
  addon_call(addon, CALL_JOB_DONE, 2, (napi_value[]){addon_number(addon, id), addon_number(addon, result)});
  napi_close_handle_scope(addon->env, scope);
}

static DiskJob *job_new(const Call *call, int kind, File *file) {
  DiskJob *disk = malloc(sizeof *disk);
  if (!disk) return NULL;
  disk->job.work = work;
  disk->job.done = done;
  disk->addon = call->addon;
  disk->id = (double)call_integer(call, 1);
  disk->kind = kind;
  disk->file = file ? file_retain(file) : NULL;
  return disk;
}

static File *file_of(const Call *call) {
  return table_get(&call->addon->files, call_index(call, 0));
}

/* (handle, job, position, target): JavaScript keeps `target` until the answer. */
static napi_value read_later(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  if (!file) return call_answer(&call, -EBADF);
  DiskJob *disk = job_new(&call, JOB_READ, file);
  if (!disk) return call_answer(&call, -ENOMEM);
  Bytes target = bytes_of(env, call.values[3]);
  disk->position = call_integer(&call, 2);
  disk->target = target.data;
  disk->length = (int64_t)target.length;
  pool_submit(&call.addon->pool, LANE_READ, &disk->job);
  return call_answer(&call, 0);
}

/* (handle, job) */
static napi_value sync_file(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  if (!file) return call_answer(&call, -EBADF);
  DiskJob *disk = job_new(&call, JOB_SYNC, file);
  if (!disk) return call_answer(&call, -ENOMEM);
  pool_submit(&call.addon->pool, LANE_FLUSH, &disk->job);
  return call_answer(&call, 0);
}

/* (handle, job, position, length) */
static napi_value write_back(napi_env env, napi_callback_info info) {
  Call call = call_begin(env, info);
  File *file = file_of(&call);
  if (!file) return call_answer(&call, -EBADF);
  DiskJob *disk = job_new(&call, JOB_WRITE_BACK, file);
  if (!disk) return call_answer(&call, -ENOMEM);
  disk->position = call_integer(&call, 2);
  disk->length = call_integer(&call, 3);
  pool_submit(&call.addon->pool, LANE_FLUSH, &disk->job);
  return call_answer(&call, 0);
}

static napi_value sync_path(napi_env env, napi_callback_info info, int kind) {
  Call call = call_begin(env, info);
  DiskJob *disk = job_new(&call, kind, NULL);
  if (!disk) return call_answer(&call, -ENOMEM);
  if (!call_text(&call, 0, disk->path, sizeof disk->path)) {
    free(disk);
    return call_answer(&call, -ENAMETOOLONG);
  }
  pool_submit(&call.addon->pool, LANE_FLUSH, &disk->job);
  return call_answer(&call, 0);
}

/* (path, job) */
static napi_value sync_directory(napi_env env, napi_callback_info info) {
  return sync_path(env, info, JOB_SYNC_DIRECTORY);
}

/* (path, job) */
static napi_value sync_file_system(napi_env env, napi_callback_info info) {
  return sync_path(env, info, JOB_SYNC_FILE_SYSTEM);
}

void disk_job_register(Addon *addon, napi_value exports) {
  static const Export list[] = {
      {"fileReadLater", read_later},       {"fileSync", sync_file},
      {"fileWriteBack", write_back},       {"pathSyncDirectory", sync_directory},
      {"pathSyncFileSystem", sync_file_system},
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
}
