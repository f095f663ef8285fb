/* What a connection still has to send, in order: bytes and file ranges. */
#pragma once
#include "file.h"

/* One reader's counters: bytes sent, those that no device delivered, surplus read-ahead. */
typedef struct {
  uint32_t references;
  double sent, hit, carry;
} Stream;

typedef struct Item {
  struct Item *next;
  /* Bytes: of JavaScript while the call lasts that brought them, then a copy of ours. */
  const uint8_t *bytes;
  bool owned;
  /* Or a range; a small one leaves in one piece with its header. */
  File *file;
  Stream *stream;
  int64_t position;
  size_t length;
  bool small;
  /* Left to the pool's threads: a cold range, and the header before it. */
  bool cold;
  /* The file's pages that the thread asks the kernel to forget when the range has left. */
  int64_t drop_position, drop_length;
  /* Not yet counted in `stream`. */
  double sent, device;
} Item;

typedef struct {
  Item *head, *tail;
} Queue;

enum { SMALL_RANGE_BYTES = 16 * 1024 };
/* Why a flush ended. FAILED (the socket) and SHORT (the file): see `error`, an errno or 0. */
enum { FLUSH_EMPTY, FLUSH_AGAIN, FLUSH_BUDGET, FLUSH_COLD, FLUSH_FAILED, FLUSH_SHORT };

typedef struct {
  int fd;
  size_t budget;
  bool cold;
  uint8_t *scratch;
  size_t sendfile, copied;
  /* What devices had delivered to this thread when that was last asked; -1 where it was not. */
  int64_t device;
  Queue finished;
  int end, error;
} Flush;

/* Adds a copy of an item, with its own references to file and stream. */
void queue_add(Queue *queue, const Item *like);
/* Sends from the head until the socket is full, the budget used up, or a cold item comes up. */
void queue_flush(Queue *queue, Flush *flush);
/* Counts what was sent in the streams and frees what is done. On the event loop only. */
void queue_settle(Queue *queue, Flush *flush);
/* Copies bytes that are still JavaScript's. */
void queue_own(Queue *queue);
/* Moves the run of cold items at the head of `from` into `to`, which is empty. */
void queue_split_cold(Queue *from, Queue *to);
/* Bytes of that run. */
double queue_cold_bytes(const Queue *queue);
/* Puts what is left in `from` back before everything in `to`. */
void queue_prepend(Queue *to, Queue *from);
void queue_drop(Queue *queue);
void stream_release(Stream *stream);
