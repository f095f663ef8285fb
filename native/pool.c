#include "pool.h"
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

/* NULL at the end. `given`, if any, goes to the back before. */
static Job *take(Lane *lane, Job *given) {
  Pool *pool = lane->pool;
  Job *job = NULL;
  pthread_mutex_lock(&pool->mutex);
  if (given) STAILQ_INSERT_TAIL(&lane->waiting, given, next);
  if (!pool->stopping) {
    job = STAILQ_FIRST(&lane->waiting);
    STAILQ_REMOVE_HEAD(&lane->waiting, next);
  }
  pthread_mutex_unlock(&pool->mutex);
  return job;
}

/* The loop is told of the first, and collects all that lie there by then. */
static void give_back(Pool *pool, Job *job) {
  pthread_mutex_lock(&pool->mutex);
  bool first = STAILQ_EMPTY(&pool->finished);
  STAILQ_INSERT_TAIL(&pool->finished, job, next);
  pthread_mutex_unlock(&pool->mutex);
  if (first) uv_async_send(&pool->async);
}

/* Signals belong to Node's threads, so ours block them all. */
static void *lane_run(void *argument) {
  Lane *lane = argument;
  uint8_t scratch[SCRATCH_BYTES];
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  for (;;) {
    while (sem_wait(&lane->jobs) < 0) continue;
    Job *job = take(lane, NULL);
    while (job && !job->work(job, scratch)) job = take(lane, job);
    if (!job) return NULL;
    give_back(lane->pool, job);
  }
}

static void finish(Pool *pool, JobQueue *queue, bool alive) {
  for (Job *job; (job = STAILQ_FIRST(queue));) {
    STAILQ_REMOVE_HEAD(queue, next);
    if (--pool->pending == 0) uv_unref((uv_handle_t *)&pool->async);
    job->done(job, alive);
  }
}

static void pool_collect(uv_async_t *async) {
  Pool *pool = (Pool *)((char *)async - offsetof(Pool, async));
  JobQueue finished = STAILQ_HEAD_INITIALIZER(finished);
  pthread_mutex_lock(&pool->mutex);
  STAILQ_CONCAT(&finished, &pool->finished);
  pthread_mutex_unlock(&pool->mutex);
  finish(pool, &finished, true);
}

int pool_start(Pool *pool, uv_loop_t *loop) {
  pthread_mutex_init(&pool->mutex, NULL);
  STAILQ_INIT(&pool->finished);
  for (int lane = 0; lane < LANE_COUNT; lane++) {
    pool->lanes[lane].pool = pool;
    STAILQ_INIT(&pool->lanes[lane].waiting);
    sem_init(&pool->lanes[lane].jobs, 0, 0);
  }
  int result = uv_async_init(loop, &pool->async, pool_collect);
  if (result == 0) uv_unref((uv_handle_t *)&pool->async);
  return result;
}

void pool_submit(Pool *pool, int index, Job *job) {
  Lane *lane = &pool->lanes[index];
  int limit = index == LANE_READ ? READ_THREADS : FLUSH_THREADS;
  if (pool->pending++ == 0) uv_ref((uv_handle_t *)&pool->async);
  while (lane->thread_count < limit &&
         pthread_create(&lane->threads[lane->thread_count], NULL, lane_run, lane) == 0) {
    lane->thread_count++;
  }
  if (lane->thread_count == 0) abort();
  pthread_mutex_lock(&pool->mutex);
  STAILQ_INSERT_TAIL(&lane->waiting, job, next);
  pthread_mutex_unlock(&pool->mutex);
  sem_post(&lane->jobs); /* a system call only where a thread waits, which finds the lock free */
}

void pool_stop(Pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pool->stopping = true;
  pthread_mutex_unlock(&pool->mutex);
  for (int index = 0; index < LANE_COUNT; index++) {
    Lane *lane = &pool->lanes[index];
    for (int at = 0; at < lane->thread_count; at++) sem_post(&lane->jobs);
    for (int at = 0; at < lane->thread_count; at++) pthread_join(lane->threads[at], NULL);
    finish(pool, &lane->waiting, false);
    sem_destroy(&lane->jobs);
  }
  finish(pool, &pool->finished, false);
  pthread_mutex_destroy(&pool->mutex);
}
