/*
 * The addon's own threads, in two lanes, so that a slow flush never holds up a reader: `read` waits
 * for a device to deliver (cold sends and reads), `flush` for it to take (fdatasync, write-back).
 */
#pragma once
#include <semaphore.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

enum { LANE_READ, LANE_FLUSH, LANE_COUNT };
enum { READ_THREADS = 8, FLUSH_THREADS = 3, SCRATCH_BYTES = 64 * 1024 };

/* `work` runs on a thread that owns `scratch`, `done` then on the event loop, and frees the job. */
typedef struct Job {
  STAILQ_ENTRY(Job) next;
  /* False where there is more to do: it is called again when those that wait had their turn. */
  bool (*work)(struct Job *job, uint8_t *scratch);
  /* `alive` is false at the end: the job may not have run, JavaScript cannot be called. */
  void (*done)(struct Job *job, bool alive);
} Job;

typedef STAILQ_HEAD(, Job) JobQueue;

struct Pool;

typedef struct {
  struct Pool *pool;
  pthread_t threads[READ_THREADS];
  int thread_count;
  /* How many are in `waiting`, and at the end one for each thread. */
  sem_t jobs;
  JobQueue waiting;
} Lane;

typedef struct Pool {
  pthread_mutex_t mutex;
  Lane lanes[LANE_COUNT];
  JobQueue finished;
  bool stopping;
  uv_async_t async;
  /* Jobs given and not yet done; the loop stays alive for them. Touched on the loop only. */
  uint32_t pending;
} Pool;

/* `pool` is all zeros. */
int pool_start(Pool *pool, uv_loop_t *loop);
/* Threads of a lane begin with its first job; where none can, the process ends. */
void pool_submit(Pool *pool, int lane, Job *job);
/* Waits for the jobs that run, then ends all others undone. The caller closes `async`. */
void pool_stop(Pool *pool);
