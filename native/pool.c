#include "pool.h"
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

/* Waits for a job. NULL at the end. The caller holds the lock. */
static Job *next_job(Lane *lane) {
  Pool *pool = lane->pool;
  while (!pool->stopping && STAILQ_EMPTY(&lane->waiting)) {
    lane->idle_count++;
    pthread_cond_wait(&lane->wake, &pool->mutex);
    lane->idle_count--;
  }
  if (pool->stopping) return NULL;
  Job *job = STAILQ_FIRST(&lane->waiting);
  STAILQ_REMOVE_HEAD(&lane->waiting, next);
  return job;
}

/* Signals belong to Node's threads, so ours block them all. */
static void *lane_run(void *argument) {
  Lane *lane = argument;
  Pool *pool = lane->pool;
  uint8_t scratch[SCRATCH_BYTES];
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  pthread_mutex_lock(&pool->mutex);
  for (Job *job; (job = next_job(lane));) {
    pthread_mutex_unlock(&pool->mutex);
    bool over = job->work(job, scratch);
    pthread_mutex_lock(&pool->mutex);
    bool first = over && STAILQ_EMPTY(&pool->finished);
    STAILQ_INSERT_TAIL(over ? &pool->finished : &lane->waiting, job, next);
    if (!first) continue; /* the loop was told of what lies there, and collects all of it */
    pthread_mutex_unlock(&pool->mutex);
    uv_async_send(&pool->async);
    pthread_mutex_lock(&pool->mutex);
  }
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
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
    pthread_cond_init(&pool->lanes[lane].wake, NULL);
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
  bool anyone = lane->idle_count > 0;
  pthread_mutex_unlock(&pool->mutex);
  if (anyone) pthread_cond_signal(&lane->wake); /* who wakes up finds the lock free */
}

void pool_stop(Pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pool->stopping = true;
  for (int lane = 0; lane < LANE_COUNT; lane++) pthread_cond_broadcast(&pool->lanes[lane].wake);
  pthread_mutex_unlock(&pool->mutex);
  for (int index = 0; index < LANE_COUNT; index++) {
    Lane *lane = &pool->lanes[index];
    for (int at = 0; at < lane->thread_count; at++) pthread_join(lane->threads[at], NULL);
    finish(pool, &lane->waiting, false);
    pthread_cond_destroy(&lane->wake);
  }
  finish(pool, &pool->finished, false);
  pthread_mutex_destroy(&pool->mutex);
}
