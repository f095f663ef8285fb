#include "pool.h"
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

/* Signals belong to Node's threads, so ours block them all. */
static void *lane_run(void *argument) {
  Lane *lane = argument;
  Pool *pool = lane->pool;
  uint8_t scratch[SCRATCH_BYTES];
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  pthread_mutex_lock(&pool->mutex);
  for (;;) {
    while (!pool->stopping && STAILQ_EMPTY(&lane->waiting))
      pthread_cond_wait(&lane->wake, &pool->mutex);
    if (pool->stopping) break;
    Job *job = STAILQ_FIRST(&lane->waiting);
    STAILQ_REMOVE_HEAD(&lane->waiting, next);
    pthread_mutex_unlock(&pool->mutex);
    job->work(job, scratch);
    pthread_mutex_lock(&pool->mutex);
    STAILQ_INSERT_TAIL(&pool->finished, job, next);
    uv_async_send(&pool->async);
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
  pthread_cond_signal(&lane->wake);
  pthread_mutex_unlock(&pool->mutex);
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
