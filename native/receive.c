/* Bytes into slabs, frames out of them, and who may go on when memory is short. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "connection.h"

/* A request of this size is small: it goes on while large ones wait for memory. */
enum { SMALL_FRAME_BYTES = SLAB_BYTES_MIN, SHORT_READ_BYTES = 4096 };

/* Size of the frame at `start` with its prefix, or -1 where that is not there yet. */
static int64_t announced(const Connection *connection) {
  if (connection->end - connection->start < FRAME_PREFIX) return -1;
  const uint8_t *at = connection->slab->bytes + connection->start;
  uint32_t size = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
  return (int64_t)size + FRAME_PREFIX;
}

/* What the frame that has begun lacks, as far as is known. */
static double missing(const Connection *connection) {
  int64_t total = announced(connection);
  return total < 0 ? 0 : (double)total - (double)(connection->end - connection->start);
}

/* The incomplete frame, which JavaScript does not see yet, moves to another slab. */
static bool move(Connection *connection, size_t capacity) {
  SlabPool *slabs = &connection->addon->slabs;
  size_t arrived = connection->end - connection->start;
  Slab *from = connection->slab, *to = slab_take(slabs, capacity);
  if (!to) return false;
  slab_touch(slabs, to, arrived);
  if (arrived > 0) memcpy(to->bytes, from->bytes + connection->start, arrived);
  if (from) slab_release(slabs, from);
  connection->slab = to;
  connection->start = 0;
  connection->end = arrived;
  return true;
}

/*
 * Sees to room for all of the frame and says how much to receive: a large one to its end, else 64
 * KiB. Addresses cost nothing, so a frame moves at most once, when its size is known.
 */
static bool make_room(Connection *connection, size_t *limit) {
  int64_t total = announced(connection);
  size_t arrived = connection->end - connection->start;
  size_t needed = total < 0 ? arrived + SHORT_READ_BYTES : (size_t)total;
  bool large = needed > LARGE_FRAME_BYTES;
  if (!connection->slab || connection->slab->capacity - connection->start < needed) {
    size_t capacity = large ? needed : SMALL_SLAB_BYTES;
    bool ready = connection->usual > capacity && !slab_is_short(&connection->addon->slabs);
    if (!move(connection, ready ? connection->usual : capacity)) return false;
  }
  size_t room = connection->slab->capacity - connection->end;
  size_t most = large ? needed - arrived : LARGE_FRAME_BYTES;
  *limit = room < most ? room : most;
  return true;
}

/* The beginning of a large frame gets its own slab; that of a small one, if memory is short. */
static void settle(Connection *connection) {
  int64_t total = announced(connection);
  size_t needed = total < 0 ? SLAB_BYTES_MIN : (size_t)total;
  bool roomy = needed <= connection->slab->capacity / 2;
  if (needed > LARGE_FRAME_BYTES) make_room(connection, &needed);
  else if (roomy && slab_is_short(&connection->addon->slabs)) move(connection, needed);
}

static void admit(Connection *connection, bool admitted) {
  connection->addon->admitted_count += admitted - connection->admitted;
  connection->admitted = admitted;
}

void receive_end(Connection *connection) {
  admit(connection, false);
  if (!connection->slab) return;
  slab_release(&connection->addon->slabs, connection->slab);
  connection->slab = NULL;
  connection->start = connection->end = 0;
}

/* Notes the complete frames for JavaScript. The size of one that is not allowed, or -1. */
static int64_t parse(Connection *connection, uint32_t *count) {
  for (int64_t total; (total = announced(connection)) >= 0;) {
    int64_t size = total - FRAME_PREFIX;
    if (size < FRAME_BYTES_MIN || size > connection->frame_bytes_max) return size;
    bool large = total > LARGE_FRAME_BYTES;
    if ((int64_t)(connection->end - connection->start) < total) break;
    double *frame = connection->addon->frames + 3 * (*count)++;
    frame[0] = connection->slab->index;
    frame[1] = (double)(connection->start + FRAME_PREFIX);
    frame[2] = (double)size;
    connection->slab->references++;
    connection->addon->frames_out++;
    slab_expose(&connection->addon->slabs, connection->slab);
    connection->start += (size_t)total;
    connection->usual = large ? (size_t)total : connection->usual / 2;
    admit(connection, false);
    if (!large) continue;
    receive_end(connection);
    break;
  }
  return -1;
}

/* Into a large slab only a large frame goes, even where its rest is small. */
static bool is_small(const Connection *connection) {
  bool large = connection->slab && connection->slab->capacity > SMALL_SLAB_BYTES;
  return !large && missing(connection) <= SMALL_FRAME_BYTES;
}

/*
 * How much the connection may receive now, 0 for nothing. Up to half of the limit nobody waits for
 * his first bytes, and an eighth is for small requests whatever large ones hold. A large one goes on
 * if its rest fits into three quarters: so it fits until others are let in, and who came last can
 * always be completed. Where none is, as with a limit too low for a frame, one goes on all the same.
 */
static size_t may_take(const Connection *connection) {
  const Addon *addon = connection->addon;
  double most = addon->slabs.bytes_max, held = *addon->slabs.held, large = addon->slabs.large;
  double lacks = missing(connection), full = connection->admitted ? most * 7 / 8 : most * 3 / 4;
  if (is_small(connection) && held <= most / 2) return TURN_BYTES;
  if (is_small(connection) && held - large <= most / 8) return SHORT_READ_BYTES;
  if (held + lacks <= full) return TURN_BYTES;
  bool alone = addon->admitted_count == connection->admitted && addon->frames_out == 0;
  return alone && !connection->paused ? TURN_BYTES : 0;
}

/* Whether the connection must wait for memory; else `limit` is what it may receive. */
static bool must_starve(Connection *connection, size_t *limit) {
  *limit = may_take(connection);
  admit(connection, *limit == TURN_BYTES && !is_small(connection));
  if (*limit > 0) return false;
  connection->starved = true;
  connection->addon->starved_count++;
  connection->addon->counters[STARVED]++;
  connection_update(connection);
  return true;
}

void receive(Connection *connection) {
  Addon *addon = connection->addon;
  uint32_t count = 0;
  int64_t broken = -1;
  ssize_t taken = 1;
  size_t limit = 0, allowed;
  int error = 0;
  /* A recv of 64 KiB completes at most 5,462 frames. */
  for (size_t turn = 0; turn < TURN_BYTES && count < FRAMES_PER_TURN - 5500; turn += limit) {
    if (must_starve(connection, &allowed)) break;
    if (!make_room(connection, &limit)) error = ENOMEM;
    if (error > 0) break;
    if (limit > allowed) limit = allowed;
    do taken = recv(connection->fd, connection->slab->bytes + connection->end, limit, 0);
    while (taken < 0 && errno == EINTR);
    if (taken < 0) error = errno == EAGAIN ? 0 : errno;
    if (taken <= 0) break;
    connection->end += (size_t)taken;
    connection->received += (double)taken;
    addon->counters[RECEIVED] += (double)taken;
    slab_touch(&addon->slabs, connection->slab, connection->end);
    broken = parse(connection, &count);
    if (broken >= 0 || (size_t)taken < limit) break;
  }
  if (connection->start == connection->end) receive_end(connection);
  else if (broken < 0) settle(connection);
  if (count > 0) addon_call(addon, FRAMES, 2, (double[]){connection->handle, count});
  if (broken >= 0) connection_close(connection, BY_FRAME, broken);
  else if (error > 0) connection_close(connection, BY_SOCKET, error);
  else if (taken == 0 && !connection->closing) connection_end(connection, BY_PEER);
}

void receive_feed(Connection *connection) {
  if (!connection->starved) return;
  connection->starved = false;
  connection->addon->starved_count--;
  connection_update(connection);
}

void receive_hung(Connection *connection) {
  int unread = 0;
  ioctl(connection->fd, FIONREAD, &unread);
  connection->hung = true;
  if (missing(connection) <= unread) return connection_update(connection);
  receive_feed(connection);
  receive_end(connection);
  connection_end(connection, BY_PEER);
  receive_wake(connection->addon);
}

void receive_wake(Addon *addon) {
  for (uint32_t at = 0; addon->starved_count > 0 && at < addon->connections.used; at++) {
    Connection *connection = addon->connections.items[at];
    if (connection && connection->starved && may_take(connection) > 0) receive_feed(connection);
  }
}
