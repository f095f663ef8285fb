/* Disk calls that may wait for the device: run by the pool, answered by `jobDone(job, result)`. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include "call.h"

enum { JOB_READ, JOB_SYNC, JOB_WRITE_BACK, JOB_SYNC_DIRECTORY, JOB_SYNC_FILE_SYSTEM };

typedef struct {
  Job job; /* first: the pool gives it back */
  Addon *addon;
  double id;
  int kind;
  File *file;
  int64_t position, length, result;
  uint8_t *target;
  char path[PATH_MAX];
} DiskJob;

static int write_back(int fd, int64_t position, int64_t length) {
  if (length <= 0) return 0; /* to the kernel a length of 0 means the rest of the file */
  unsigned flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  return sync_file_range(fd, position, length, flags) < 0 ? -errno : 0;
}

static int sync_path(const char *path, int flags, int (*sync)(int)) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
  int result = fd < 0 || sync(fd) < 0 ? -errno : 0;
  if (fd >= 0) close(fd);
  return result;
}

static void work(Job *job, uint8_t *scratch) {
  DiskJob *disk = (DiskJob *)job;
  int fd = disk->file ? disk->file->fd : -1;
  (void)scratch;
  switch (disk->kind) {
    case JOB_READ:
      disk->result = file_look_up(disk->file, disk->position, disk->target, (size_t)disk->length);
      break;
    case JOB_SYNC:
      disk->result = fdatasync(fd) < 0 ? -errno : 0;
      break;
    case JOB_WRITE_BACK:
      disk->result = write_back(fd, disk->position, disk->length);
      break;
    case JOB_SYNC_DIRECTORY:
      disk->result = sync_path(disk->path, O_DIRECTORY, fsync);
      break;
    case JOB_SYNC_FILE_SYSTEM:
      disk->result = sync_path(disk->path, 0, syncfs);
  }
}

static void done(Job *job, bool alive) {
  DiskJob *disk = (DiskJob *)job;
  Addon *addon = disk->addon;
  double id = disk->id, result = (double)disk->result;
  if (disk->file) file_release(disk->file);
  free(disk);
  if (alive) addon_call(addon, JOB_DONE, 2, (double[]){id, result});
}

/* (file or path, job, position, length or target) => 0 */
static double submit(Call *call) {
  DiskJob *disk = malloc(sizeof *disk);
  if (!disk) return -ENOMEM;
  disk->job = (Job){.work = work, .done = done};
  disk->addon = call->addon;
  disk->kind = call->kind;
  disk->id = (double)call_integer(call, 1);
  disk->position = call_integer(call, 2);
  disk->length = call_integer(call, 3);
  if (!call->file && !call_text(call, 0, disk->path, sizeof disk->path)) {
    free(disk);
    return -ENAMETOOLONG;
  }
  disk->file = call->file ? file_retain(call->file) : NULL;
  if (call->kind == JOB_READ) {
    Bytes target = bytes_of(call->env, call->values[3]);
    disk->target = target.data;
    disk->length = (int64_t)target.length;
  }
  pool_submit(&call->addon->pool, call->kind == JOB_READ ? LANE_READ : LANE_FLUSH, &disk->job);
  return 0;
}

void disk_job_register(Addon *addon, napi_value exports) {
  static const Export list[] = {
      OF_FILE("fileReadLater", submit, JOB_READ),
      OF_FILE("fileSync", submit, JOB_SYNC),
      OF_FILE("fileWriteBack", submit, JOB_WRITE_BACK),
      PLAIN("pathSyncDirectory", submit, JOB_SYNC_DIRECTORY),
      PLAIN("pathSyncFileSystem", submit, JOB_SYNC_FILE_SYSTEM),
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
}
