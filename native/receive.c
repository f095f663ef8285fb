/* Bytes into slabs, and frames out of them. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "connection.h"

/* The announced size of the frame at `start`, or -1 where the prefix is not there yet. */
static int64_t announced(const Connection *connection) {
  if (connection->end - connection->start < FRAME_PREFIX) return -1;
  const uint8_t *at = connection->slab->bytes + connection->start;
  return (int64_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]);
}

/*
 * Sees to room at `end` and says how much to receive: a large frame to its end, else 64 KiB. Where
 * it does not fit, the incomplete frame, which JavaScript does not see yet, moves to a slab of the
 * size that frames of this connection usually have, or of twice what has arrived.
 */
static bool make_room(Connection *connection, size_t *limit) {
  SlabPool *slabs = &connection->addon->slabs;
  Slab *slab = connection->slab;
  size_t arrived = connection->end - connection->start;
  int64_t size = slab ? announced(connection) : -1;
  size_t total = size < 0 ? arrived + 4096 : (size_t)size + FRAME_PREFIX;
  bool large = size >= 0 && total > LARGE_FRAME_BYTES;
  bool fits = slab && slab->capacity - connection->start >= total;
  bool fillable = large && connection->end < slab->capacity && connection->usual < total;
  if (!fits && !fillable) {
    size_t capacity = connection->usual > 2 * arrived ? connection->usual : 2 * arrived;
    if (capacity < SLAB_BYTES_MIN) capacity = SLAB_BYTES_MIN;
    if (large && capacity > total) capacity = total;
    Slab *larger = slab_take(slabs, capacity);
    if (!larger) return false;
    if (arrived > 0) memcpy(larger->bytes, slab->bytes + connection->start, arrived);
    if (slab) slab_release(slabs, slab);
    connection->slab = slab = larger;
    connection->start = 0;
    connection->end = arrived;
  }
  size_t room = slab->capacity - connection->end;
  size_t most = large ? total - arrived : LARGE_FRAME_BYTES;
  *limit = room < most ? room : most;
  return true;
}

void receive_end(Connection *connection) {
  if (!connection->slab) return;
  connection->addon->counters[HELD] -= (double)(connection->end - connection->start);
  slab_release(&connection->addon->slabs, connection->slab);
  connection->slab = NULL;
  connection->start = connection->end = 0;
}

/* Notes the complete frames for JavaScript. The size of one that is not allowed, or -1. */
static int64_t parse(Connection *connection, uint32_t *count) {
  for (int64_t size; (size = announced(connection)) >= 0;) {
    if (size < FRAME_BYTES_MIN || size > connection->frame_bytes_max) return size;
    size_t total = (size_t)size + FRAME_PREFIX;
    bool large = total > LARGE_FRAME_BYTES;
    if (connection->end - connection->start < total) break;
    double *frame = connection->addon->frames + 3 * (*count)++;
    frame[0] = connection->slab->index;
    frame[1] = (double)(connection->start + FRAME_PREFIX);
    frame[2] = (double)size;
    connection->slab->references++;
    connection->addon->frames_out++;
    slab_expose(&connection->addon->slabs, connection->slab);
    connection->start += total;
    connection->usual = large ? total : connection->usual / 2;
    if (connection->addon->privileged == connection) connection->addon->privileged = NULL;
    if (!large) continue;
    receive_end(connection);
    break;
  }
  return -1;
}

/*
 * Above the limit nobody is read until frames are released. Where there are none to release, all
 * the memory is in incomplete frames: one connection goes on, or all would wait for ever.
 */
static bool must_starve(Connection *connection) {
  Addon *addon = connection->addon;
  if (addon->counters[HELD] <= connection->held_max) return false;
  if (addon->privileged == connection) return false;
  if (addon->frames_out == 0 && !addon->privileged) {
    addon->privileged = connection;
    return false;
  }
  double low = connection->held_max * 7 / 8;
  if (addon->starved_count++ == 0 || addon->fed_below < low) addon->fed_below = low;
  connection->starved = true;
  connection_update(connection);
  return true;
}

void receive(Connection *connection) {
  uint32_t count = 0;
  int64_t broken = -1;
  ssize_t taken = 1;
  size_t limit = 0;
  int error = 0;
  double *counters = connection->addon->counters;
  /* A recv of 64 KiB completes at most 5,462 frames. */
  for (size_t turn = 0; turn < TURN_BYTES && count < FRAMES_PER_TURN - 5500; turn += limit) {
    if (must_starve(connection)) break;
    if (!make_room(connection, &limit)) error = ENOMEM;
    if (error > 0) break;
    do taken = recv(connection->fd, connection->slab->bytes + connection->end, limit, 0);
    while (taken < 0 && errno == EINTR);
    if (taken < 0) error = errno == EAGAIN ? 0 : errno;
    if (taken <= 0) break;
    connection->end += (size_t)taken;
    connection->received += (double)taken;
    counters[RECEIVED] += (double)taken;
    counters[HELD] += (double)taken;
    broken = parse(connection, &count);
    if (broken >= 0 || (size_t)taken < limit) break;
  }
  if (connection->slab && connection->start == connection->end) receive_end(connection);
  if (count > 0) addon_call(connection->addon, FRAMES, 2, (double[]){connection->handle, count});
  if (broken >= 0) connection_close(connection, BY_FRAME, broken);
  else if (error > 0) connection_close(connection, BY_SOCKET, error);
  else if (taken == 0 && !connection->closing) connection_end(connection, BY_PEER);
}

static void feed(Connection *connection) {
  connection->starved = false;
  connection->addon->starved_count--;
  connection_update(connection);
}

void receive_wake(Addon *addon) {
  bool stuck = addon->frames_out == 0 && !addon->privileged;
  Connection *fullest = NULL;
  if (addon->starved_count == 0 || (addon->counters[HELD] > addon->fed_below && !stuck)) return;
  for (uint32_t at = 0; at < addon->connections.used; at++) {
    Connection *connection = addon->connections.items[at];
    if (!connection || !connection->starved) continue;
    if (addon->counters[HELD] <= connection->held_max * 7 / 8) feed(connection);
    else if (!fullest || connection->end - connection->start > fullest->end - fullest->start) {
      fullest = connection;
    }
  }
  if (!stuck || !fullest) return;
  addon->privileged = fullest;
  feed(fullest);
}
