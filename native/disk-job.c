#include "disk-job.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "call.h"

enum {
  JOB_READ,
  JOB_LOOK_UP,
  JOB_DROP,
  JOB_SYNC,
  JOB_WRITE_BACK,
  JOB_SYNC_ALL,
  JOB_SYNC_FILE_SYSTEM
};

typedef struct {
  Job job; /* first: the pool gives it back */
  Addon *addon;
  double id;
  int kind;
  File *file;
  int64_t position, length, result;
  uint8_t *target;
} DiskJob;

static int flush(const DiskJob *disk, int fd) {
  unsigned flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (disk->kind == JOB_WRITE_BACK) return sync_file_range(fd, disk->position, disk->length, flags);
  if (disk->kind == JOB_SYNC) return fdatasync(fd);
  return disk->kind == JOB_SYNC_ALL ? fsync(fd) : syncfs(fd);
}

static int64_t run(const DiskJob *disk) {
  File *file = disk->file;
  size_t length = (size_t)disk->length;
  if (disk->kind == JOB_READ) return file_read(file->fd, disk->position, disk->target, length);
  if (disk->kind == JOB_LOOK_UP) {
    return file_look_up(file, disk->position, disk->target, length, false);
  }
  if (disk->kind == JOB_DROP) return file_drop(file->fd, disk->position, disk->length);
  return flush(disk, file->fd) < 0 ? -errno : 0;
}

static bool work(Job *job, uint8_t *scratch) {
  DiskJob *disk = (DiskJob *)job;
  (void)scratch;
  disk->result = run(disk);
  return true;
}

static void done(Job *job, bool alive) {
  DiskJob *disk = (DiskJob *)job;
  Addon *addon = disk->addon;
  double id = disk->id, result = (double)disk->result;
  file_release(disk->file);
  free(disk);
  if (alive) addon_call(addon, JOB_DONE, 2, (double[]){id, result});
}

/* (file, job, position, length or target) => 0 */
static double submit(Call *call) {
  bool reads = call->kind == JOB_READ || call->kind == JOB_LOOK_UP;
  DiskJob *disk = malloc(sizeof *disk);
  if (!disk) return -ENOMEM;
  disk->job = (Job){.work = work, .done = done};
  disk->addon = call->addon;
  disk->kind = call->kind;
  disk->id = (double)call_integer(call, 1);
  disk->position = call_integer(call, 2);
  disk->length = call_integer(call, 3);
  disk->file = file_retain(call->file);
  if (reads) {
    Bytes target = bytes_of(call->env, call->values[3]);
    disk->target = target.data;
    disk->length = (int64_t)target.length;
  }
  bool flushes = !reads && call->kind != JOB_DROP;
  pool_submit(&call->addon->pool, flushes ? LANE_FLUSH : LANE_READ, &disk->job);
  return 0;
}

void disk_job_register(Addon *addon, napi_value exports) {
  static const Export list[] = {
      OF_FILE("fileReadLater", submit, JOB_READ),
      OF_FILE("fileLookUpLater", submit, JOB_LOOK_UP),
      OF_FILE("fileDropCacheLater", submit, JOB_DROP),
      OF_FILE("fileSync", submit, JOB_SYNC),
      OF_FILE("fileWriteBack", submit, JOB_WRITE_BACK),
      OF_FILE("fileSyncAll", submit, JOB_SYNC_ALL),
      OF_FILE("fileSyncFileSystem", submit, JOB_SYNC_FILE_SYSTEM),
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
}
