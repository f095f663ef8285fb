#include "queue.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include "pool.h"

enum { GATHERED_MAX = 32 };

static void push(Queue *queue, Item *item) {
  item->next = NULL;
  if (queue->tail) queue->tail->next = item;
  else queue->head = item;
  queue->tail = item;
}

void queue_add(Queue *queue, const Item *like) {
  Item *item = malloc(sizeof *item);
  if (!item) abort();
  *item = *like;
  if (item->file) file_retain(item->file);
  if (item->stream) item->stream->references++;
  push(queue, item);
}

/* Before something of a file is sent; what was measured behind the one before counts. */
static void begin_measure(Flush *flush) {
  if (flush->device < 0) flush->device = thread_device_bytes();
}

/* What the device delivered to this thread since then, and to the range's look-ups. */
static void measure(Item *item, Flush *flush) {
  int64_t now = thread_device_bytes();
  item->device += (double)(now - flush->device + atomic_exchange(&item->file->looked_up, 0));
  flush->device = now;
}

static ssize_t stop(Flush *flush, int end, int error) {
  flush->end = end;
  flush->error = error;
  return -1;
}

/* A failed system call. Errors of the file are told apart from those of the socket. */
static ssize_t failed(Flush *flush, int error, bool of_file) {
  if (error == EAGAIN) return stop(flush, FLUSH_AGAIN, 0);
  static const int device[] = {EIO, EUCLEAN, ESTALE, EBADF, EINVAL, EOVERFLOW};
  for (size_t at = 0; at < sizeof device / sizeof *device; at++) of_file |= error == device[at];
  return stop(flush, of_file ? FLUSH_SHORT : FLUSH_FAILED, error);
}

static ssize_t send_range(Item *item, Flush *flush) {
  size_t left = flush->budget - flush->sendfile - flush->copied;
  size_t wanted = item->length < left ? item->length : left;
  ssize_t sent;
  begin_measure(flush);
  do {
    off_t position = item->position;
    sent = sendfile(flush->fd, item->file->fd, &position, wanted);
  } while (sent < 0 && errno == EINTR);
  int error = errno;
  measure(item, flush);
  if (sent < 0) return failed(flush, error, false);
  return sent == 0 ? stop(flush, FLUSH_SHORT, 0) : sent;
}

/* Bytes and small ranges from the head on leave by one sendmsg. */
static ssize_t send_gathered(Queue *queue, Flush *flush) {
  struct iovec parts[GATHERED_MAX];
  struct msghdr message = {.msg_iov = parts};
  size_t used = 0, count = 0;
  Item *item = queue->head;
  for (; item && count < GATHERED_MAX; item = item->next, count++) {
    if ((item->cold && !flush->cold) || (item->file && !item->small)) break;
    parts[count] = (struct iovec){(void *)(uintptr_t)item->bytes, item->length};
    if (!item->file) continue;
    if (used + item->length > SCRATCH_BYTES) break;
    begin_measure(flush);
    int64_t read = file_read(item->file->fd, item->position, flush->scratch + used, item->length);
    measure(item, flush);
    if (read < 0) return failed(flush, (int)-read, true);
    if (read < (int64_t)item->length) return stop(flush, FLUSH_SHORT, 0);
    parts[count].iov_base = flush->scratch + used;
    used += item->length;
  }
  bool more = item && (flush->cold || !item->cold);
  message.msg_iovlen = count;
  ssize_t sent;
  do sent = sendmsg(flush->fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? failed(flush, errno, false) : sent;
}

static void advance(Queue *queue, size_t sent, Flush *flush) {
  while (sent > 0) {
    Item *item = queue->head;
    size_t taken = sent < item->length ? sent : item->length;
    if (item->file && !item->small) flush->sendfile += taken;
    else flush->copied += taken;
    if (item->file) item->sent += (double)taken;
    else item->bytes += taken;
    item->position += (int64_t)taken;
    item->length -= taken;
    sent -= taken;
    if (item->length > 0) return;
    if (item->drop_length > 0 && flush->cold) {
      file_drop(item->file->fd, item->drop_position, item->drop_length);
    }
    if (!(queue->head = item->next)) queue->tail = NULL;
    push(&flush->finished, item);
  }
}

void queue_flush(Queue *queue, Flush *flush) {
  flush->end = FLUSH_EMPTY;
  flush->device = -1;
  for (Item *item; flush->end == FLUSH_EMPTY && (item = queue->head);) {
    bool alone = item->file && !item->small;
    if (item->cold && !flush->cold) {
      flush->end = FLUSH_COLD;
    } else if (flush->sendfile + flush->copied >= flush->budget) {
      flush->end = FLUSH_BUDGET;
    } else {
      ssize_t sent = alone ? send_range(item, flush) : send_gathered(queue, flush);
      if (sent > 0) advance(queue, (size_t)sent, flush);
    }
  }
}

/* Read-ahead that this range did not need is credited to the stream's next one. */
static void count_in_stream(Item *item) {
  Stream *stream = item->stream;
  if (!stream) return;
  double delivered = item->device + stream->carry;
  double missed = delivered < item->sent ? delivered : item->sent;
  stream->sent += item->sent;
  stream->hit += item->sent - missed;
  stream->carry = delivered - missed;
  item->sent = item->device = 0;
}

void stream_release(Stream *stream) {
  if (--stream->references == 0) free(stream);
}

static void item_free(Item *item) {
  count_in_stream(item);
  if (item->stream) stream_release(item->stream);
  if (item->file) file_release(item->file);
  if (item->owned) free((void *)((uintptr_t)item->bytes - (uintptr_t)item->position));
  free(item);
}

void queue_settle(Queue *queue, Flush *flush) {
  queue_drop(&flush->finished);
  if (queue->head && queue->head->sent > 0) count_in_stream(queue->head);
}

/* `position` counts the bytes sent of a byte item, so that its start is found again. */
void queue_own(Queue *queue) {
  for (Item *item = queue->head; item; item = item->next) {
    if (item->file || item->owned) continue;
    uint8_t *copy = malloc(item->length);
    if (!copy) abort();
    item->bytes = memcpy(copy, item->bytes, item->length);
    item->owned = true;
    item->position = 0;
  }
}

void queue_split_cold(Queue *from, Queue *to) {
  for (Item *item; (item = from->head) && item->cold;) {
    if (!(from->head = item->next)) from->tail = NULL;
    push(to, item);
  }
}

double queue_cold_bytes(const Queue *queue) {
  double bytes = 0;
  for (const Item *item = queue->head; item && item->cold; item = item->next) {
    bytes += (double)item->length;
  }
  return bytes;
}

void queue_prepend(Queue *to, Queue *from) {
  if (!from->head) return;
  from->tail->next = to->head;
  if (!to->head) to->tail = from->tail;
  to->head = from->head;
  *from = (Queue){NULL, NULL};
}

void queue_drop(Queue *queue) {
  for (Item *item; (item = queue->head);) {
    queue->head = item->next;
    item_free(item);
  }
  queue->tail = NULL;
}
