#include "receive.h"
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { SHORT_READ_BYTES = 4096 };
/* A request of this size is small: it goes on while large ones wait for memory. */
enum { SMALL_FRAME_BYTES = SLAB_BYTES_MIN };
/* A large frame is received to its end and no further: the next begins in its own slab. */
enum { LARGE_FRAME_BYTES = SMALL_SLAB_BYTES };

/* Size of the frame at `start` with its prefix, or -1 where that is not there yet. */
static int64_t announced(const Receiver *receiver) {
  if (receiver->end - receiver->start < FRAME_PREFIX) return -1;
  const uint8_t *at = receiver->slab->bytes + receiver->start;
  uint32_t size = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
  return (int64_t)size + FRAME_PREFIX;
}

/* What the frame that has begun lacks, as far as is known. */
static double missing(const Receiver *receiver) {
  int64_t total = announced(receiver);
  return total < 0 ? 0 : (double)total - (double)(receiver->end - receiver->start);
}

/* The incomplete frame, which JavaScript does not see yet, moves to another slab. */
static bool move(Receiver *receiver, size_t capacity) {
  SlabPool *slabs = &receiver->memory->slabs;
  size_t arrived = receiver->end - receiver->start;
  Slab *from = receiver->slab, *to = slab_take(slabs, capacity, !receiver->takes_answers);
  if (!to) return false;
  slab_touch(slabs, to, arrived);
  if (arrived > 0) memcpy(to->bytes, from->bytes + receiver->start, arrived);
  if (from) slab_release(slabs, from);
  receiver->slab = to;
  receiver->start = 0;
  receiver->end = arrived;
  return true;
}

/*
 * Sees to room for all of the frame and says how much to receive: a large one to its end, else 64
 * KiB. Addresses cost nothing, so a frame moves at most once, when its size is known.
 */
static bool make_room(Receiver *receiver, size_t *limit) {
  int64_t total = announced(receiver);
  size_t arrived = receiver->end - receiver->start;
  size_t needed = total < 0 ? arrived + SHORT_READ_BYTES : (size_t)total;
  bool large = needed > LARGE_FRAME_BYTES;
  if (!receiver->slab || receiver->slab->capacity - receiver->start < needed) {
    size_t capacity = large ? needed : SMALL_SLAB_BYTES;
    bool ready = receiver->usual > capacity && !slab_is_short(&receiver->memory->slabs);
    if (!move(receiver, ready ? receiver->usual : capacity)) return false;
  }
  size_t room = receiver->slab->capacity - receiver->end;
  size_t most = large ? needed - arrived : LARGE_FRAME_BYTES;
  *limit = room < most ? room : most;
  return true;
}

/* The beginning of a large frame gets its own slab; that of a small one, if memory is short. */
static void settle(Receiver *receiver) {
  int64_t total = announced(receiver);
  size_t needed = total < 0 ? SLAB_BYTES_MIN : (size_t)total;
  bool roomy = needed <= receiver->slab->capacity / 2;
  if (needed > LARGE_FRAME_BYTES) make_room(receiver, &needed);
  else if (roomy && slab_is_short(&receiver->memory->slabs)) move(receiver, needed);
}

static void admit(Receiver *receiver, bool admitted) {
  receiver->memory->admitted += admitted - receiver->admitted;
  receiver->admitted = admitted;
}

/* Gives up the slab and the incomplete frame in it. */
static void drop(Receiver *receiver) {
  admit(receiver, false);
  if (!receiver->slab) return;
  slab_release(&receiver->memory->slabs, receiver->slab);
  receiver->slab = NULL;
  receiver->start = receiver->end = 0;
}

/* Notes the complete frames for JavaScript. The size of one that is not allowed, or -1. */
static int64_t parse(Receiver *receiver, uint32_t *count) {
  RequestMemory *memory = receiver->memory;
  for (int64_t total; (total = announced(receiver)) >= 0;) {
    int64_t size = total - FRAME_PREFIX;
    if (size < receiver->frame_bytes_min || size > receiver->frame_bytes_max) return size;
    bool large = total > LARGE_FRAME_BYTES;
    if ((int64_t)(receiver->end - receiver->start) < total) break;
    double *frame = memory->frames + FRAME_ROW_LENGTH * (*count)++;
    frame[FRAME_SLAB] = receiver->slab->index;
    frame[FRAME_OFFSET] = (double)(receiver->start + FRAME_PREFIX);
    frame[FRAME_LENGTH] = (double)size;
    receiver->slab->references++;
    memory->frames_out += receiver->slab->counted;
    slab_expose(&memory->slabs, receiver->slab);
    receiver->start += (size_t)total;
    receiver->usual = large ? (size_t)total : receiver->usual / 2;
    admit(receiver, false);
    if (!large) continue;
    drop(receiver);
    break;
  }
  return -1;
}

/* Into a large slab only a large frame goes, even where its rest is small. */
static bool is_small(const Receiver *receiver) {
  bool large = receiver->slab && receiver->slab->capacity > SMALL_SLAB_BYTES;
  return !large && missing(receiver) <= SMALL_FRAME_BYTES;
}

/*
 * How much it may receive now, 0 for nothing. A large frame goes on if its rest fits below the
 * bound: so it fits until others are let in, and who came last can always be completed. Where none
 * is, as with a limit too low for a frame, one goes on all the same.
 */
static size_t may_take(const Receiver *receiver) {
  const RequestMemory *memory = receiver->memory;
  const MemoryBounds *bounds = &memory->bounds;
  double held = *memory->slabs.held, large = memory->slabs.large;
  double full = receiver->admitted ? bounds->begun : bounds->large;
  if (receiver->never_starves) return TURN_BYTES;
  if (is_small(receiver) && held <= bounds->any) return TURN_BYTES;
  if (is_small(receiver) && held - large <= bounds->small) return SHORT_READ_BYTES;
  if (held + missing(receiver) <= full) return TURN_BYTES;
  bool alone = memory->admitted == receiver->admitted && memory->frames_out == 0;
  return alone && !receiver->paused ? TURN_BYTES : 0;
}

/* Whether it must wait for memory; else `limit` is what it may receive. */
static bool must_starve(Receiver *receiver, size_t *limit) {
  RequestMemory *memory = receiver->memory;
  *limit = may_take(receiver);
  admit(receiver, *limit == TURN_BYTES && !is_small(receiver) && !receiver->never_starves);
  if (*limit > 0) return false;
  receiver->starved = true;
  TAILQ_INSERT_TAIL(&memory->waiting, receiver, waiting);
  ++*memory->starved;
  return true;
}

static void feed(Receiver *receiver) {
  if (!receiver->starved) return;
  receiver->starved = false;
  TAILQ_REMOVE(&receiver->memory->waiting, receiver, waiting);
}

/* Memory came free, or its holder went: starved ones are read again if there is room. */
static void wake(RequestMemory *memory) {
  for (Receiver *receiver = TAILQ_FIRST(&memory->waiting), *next; receiver; receiver = next) {
    next = TAILQ_NEXT(receiver, waiting);
    if (may_take(receiver) == 0) continue;
    feed(receiver);
    receiver->woken(receiver);
  }
}

bool receiver_reads(const Receiver *receiver) {
  return !receiver->paused && !receiver->starved;
}

static void end(Received *received, ReceiveEnd end, int64_t detail) {
  received->end = end;
  received->detail = detail;
}

/* Receives once into the slab. False where the turn is over by that. */
static bool take(Receiver *receiver, size_t limit, Received *received) {
  RequestMemory *memory = receiver->memory;
  ssize_t taken;
  do taken = recv(receiver->fd, receiver->slab->bytes + receiver->end, limit, 0);
  while (taken < 0 && errno == EINTR);
  if (taken == 0) received->end = RECEIVE_AT_END;
  if (taken < 0 && errno != EAGAIN) end(received, RECEIVE_FAILED, errno);
  if (taken <= 0) return false;
  receiver->end += (size_t)taken;
  receiver->received += (double)taken;
  *memory->received += (double)taken;
  slab_touch(&memory->slabs, receiver->slab, receiver->end);
  int64_t broken = parse(receiver, &received->frame_count);
  if (broken >= 0) end(received, RECEIVE_BROKEN, broken);
  return broken < 0 && (size_t)taken == limit;
}

Received receive(Receiver *receiver) {
  Received received = {.end = RECEIVE_GOES_ON};
  size_t limit = 0, allowed;
  bool more = true;
  for (size_t turn = 0; more && turn < TURN_BYTES; turn += limit) {
    if (received.frame_count + FRAMES_PER_RECV > FRAMES_PER_TURN) break;
    if (must_starve(receiver, &allowed)) break;
    if (make_room(receiver, &limit)) {
      if (limit > allowed) limit = allowed;
      more = take(receiver, limit, &received);
    } else {
      end(&received, RECEIVE_FAILED, ENOMEM);
      break;
    }
  }
  if (receiver->start == receiver->end) drop(receiver);
  else if (received.end != RECEIVE_BROKEN) settle(receiver);
  return received;
}

void receiver_pause(Receiver *receiver, bool paused) {
  receiver->paused = paused;
  wake(receiver->memory);
}

bool receiver_may_finish(Receiver *receiver) {
  int unread = 0;
  ioctl(receiver->fd, FIONREAD, &unread);
  receiver->hung = true;
  return missing(receiver) <= unread;
}

void receiver_end(Receiver *receiver) {
  feed(receiver);
  drop(receiver);
  wake(receiver->memory);
}

void memory_release(RequestMemory *memory, Slab *slab, bool abandoned) {
  slab->abandoned |= abandoned;
  memory->frames_out -= slab->counted;
  slab_release(&memory->slabs, slab);
  wake(memory);
}
