/* Bytes into slabs, frames out of them, and who may go on when memory is short. */
#pragma once
#include <sys/queue.h>
#include "slab.h"

enum { TURN_BYTES = 1088 * 1024 }; /* in, or out, before others have a turn: 1 MiB and headers */
/* A recv takes 64 KiB beside a large frame, of which each prefix is 4; then come 4,096 at least. */
enum { FRAME_PREFIX = 4, FRAMES_PER_RECV = SMALL_SLAB_BYTES / FRAME_PREFIX + 1 };
enum { FRAMES_PER_TURN = FRAMES_PER_RECV + 4096 };
/* What JavaScript is told of a frame, in a row of `frames`. */
enum { FRAME_SLAB, FRAME_OFFSET, FRAME_LENGTH, FRAME_ROW_LENGTH };

struct Receiver;
typedef TAILQ_HEAD(ReceiverQueue, Receiver) ReceiverQueue;

/*
 * Up to which memory of all requests somebody may receive, in bytes (requestMemoryBounds in
 * src/env/admission.ts says why): whoever begins, small requests beside large ones, a large one
 * that begins, and one that has begun.
 */
typedef struct {
  double any, small, large, begun;
} MemoryBounds;

/* Memory of requests that arrive or that JavaScript has not released. One per environment. */
typedef struct {
  SlabPool slabs;
  MemoryBounds bounds;
  /* JavaScript sees these too: a turn's frames, bytes received, times that one starved. */
  double *frames, *received, *starved;
  /* Requests that JavaScript has not released, and large ones that were let in. */
  uint32_t frames_out;
  int admitted;
  ReceiverQueue waiting;
} RequestMemory;

/* The half of a connection that reads. Whoever makes one sets the first seven and leaves zeros. */
typedef struct Receiver {
  RequestMemory *memory;
  int fd;
  uint32_t frame_bytes_min, frame_bytes_max;
  /* Its frames are answers, which we asked for and bounded: uncounted. */
  bool takes_answers;
  /* It is read however full the memory is. */
  bool never_starves;
  /* Called when it may read again, because memory came free. */
  void (*woken)(struct Receiver *receiver);
  /* [start, end) of the slab is a frame that is not complete. */
  Slab *slab;
  size_t start, end, usual;
  double received;
  bool paused;
  /* Starved: not read, for want of memory; hung: and the peer ended. Admitted: let into it. */
  bool starved, hung, admitted;
  TAILQ_ENTRY(Receiver) waiting;
} Receiver;

/* How a turn ended. BROKEN: by a frame of a size that is not allowed. FAILED: by an errno. */
typedef enum { RECEIVE_GOES_ON, RECEIVE_AT_END, RECEIVE_BROKEN, RECEIVE_FAILED } ReceiveEnd;

typedef struct {
  /* Rows in `frames`. */
  uint32_t frame_count;
  ReceiveEnd end;
  /* That size, or errno. */
  int64_t detail;
} Received;

/* Whether it waits for bytes. */
bool receiver_reads(const Receiver *receiver);
/* One turn. */
Received receive(Receiver *receiver);
void receiver_pause(Receiver *receiver, bool paused);
/* The peer of a starved one is gone. False where so must this be: its frame lacks what is gone. */
bool receiver_may_finish(Receiver *receiver);
/* Gives up its slab, the incomplete frame in it, and its place among those that wait. */
void receiver_end(Receiver *receiver);

/* JavaScript is done with a frame of `slab`; `abandoned`: it knows no more who reads it. */
void memory_release(RequestMemory *memory, Slab *slab, bool abandoned);
