#include "connection.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "address.h"

static void on_poll(uv_poll_t *poll, int status, int events);
static void cold_done(Job *job, bool alive);

/* On a thread of the pool: one turn of a run of cold items. */
static bool send_cold(Job *job, uint8_t *scratch) {
  Connection *connection = (Connection *)job;
  Flush *flush = &connection->cold_flush;
  flush->scratch = scratch;
  flush->budget += TURN_BYTES;
  queue_flush(&connection->cold, flush);
  return flush->end != FLUSH_BUDGET || (double)flush->budget >= connection->cold_bytes_max;
}

static void option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

/*
 * Within one machine there is no path whose rate is to be found. Where the machine's choice is BBR,
 * a timer would pace what we send to us, half of all that a hot read costs (decision 0018). Reno is
 * always there, and everybody may choose it.
 */
static void congestion(int fd) {
  static const char reno[] = "reno";
  if (address_both_ends(fd)) setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, reno, sizeof reno - 1);
}

/* Memory came free for it. */
static void woken(Receiver *receiver) {
  connection_update((Connection *)((char *)receiver - offsetof(Connection, receiver)));
}

Connection *connection_new(Addon *addon, int fd, const Terms *terms) {
  Connection *connection = calloc(1, sizeof *connection);
  if (!connection || uv_poll_init_socket(addon->loop, &connection->poll, fd) != 0) {
    free(connection);
    close(fd);
    return NULL;
  }
  addon_handle_opened(addon);
  option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  option(fd, IPPROTO_TCP, TCP_KEEPIDLE, terms->keep_alive_seconds);
  congestion(fd);
  connection->job = (Job){.work = send_cold, .done = cold_done};
  connection->addon = addon;
  connection->fd = fd;
  connection->poll_open = true;
  connection->receiver = (Receiver){
      .memory = &addon->memory,
      .fd = fd,
      .frame_bytes_min = terms->frame_bytes_min,
      .frame_bytes_max = terms->frame_bytes_max,
      .takes_answers = terms->takes_answers,
      .never_starves = terms->never_starves,
      .woken = woken,
  };
  connection->handle = table_add(&addon->connections, connection);
  return connection;
}

void connection_update(Connection *connection) {
  const Receiver *receiver = &connection->receiver;
  int events = 0;
  if (connection->closing) return;
  if (receiver_reads(receiver) && !connection->ending) events |= UV_READABLE;
  if (receiver->starved && !receiver->hung) events |= UV_DISCONNECT;
  if (connection->blocked && !connection->sending) events |= UV_WRITABLE;
  if (events == connection->events) return;
  connection->events = events;
  if (events) uv_poll_start(&connection->poll, events, on_poll);
  else uv_poll_stop(&connection->poll);
}

static void tell_drained(Connection *connection) {
  if (!connection->wants_drained || connection->closing) return;
  if (connection->queue.head || connection->sending) return;
  connection->wants_drained = false;
  addon_call(connection->addon, DRAINED, 1, (double[]){connection->handle});
}

/* Whether the cold run that came to the head may go. */
static void ask(Connection *connection) {
  if (!connection->asks) return;
  double run[] = {connection->handle, queue_cold_bytes(&connection->queue)};
  addon_call(connection->addon, COLD_ASKED, 2, run);
}

int socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

static void on_readable(Connection *connection) {
  Addon *addon = connection->addon;
  Received received = receive(&connection->receiver);
  double frames[] = {connection->handle, received.frame_count};
  connection_update(connection); /* it may have starved */
  if (received.frame_count > 0) addon_call(addon, FRAMES, 2, frames);
  if (connection->closing) return;
  if (received.end == RECEIVE_BROKEN) connection_close(connection, BY_FRAME, received.detail);
  if (received.end == RECEIVE_FAILED) connection_close(connection, BY_SOCKET, received.detail);
  if (received.end == RECEIVE_AT_END) connection_end(connection, BY_PEER);
}

static void on_peer_gone(Connection *connection) {
  if (receiver_may_finish(&connection->receiver)) {
    connection_update(connection);
  } else {
    receiver_end(&connection->receiver);
    connection_end(connection, BY_PEER);
  }
}

/* libuv says EBADF for EPOLLERR; the socket knows the reason. */
static void on_poll(uv_poll_t *poll, int status, int events) {
  Connection *connection = (Connection *)((char *)poll - offsetof(Connection, poll));
  int error = status < 0 ? socket_error(connection->fd) : 0;
  if (status < 0) connection_close(connection, BY_SOCKET, error ? error : ECONNRESET);
  if (events & UV_WRITABLE) {
    connection_flush(connection);
    ask(connection);
    tell_drained(connection);
  }
  if (events & UV_DISCONNECT && connection->receiver.starved) on_peer_gone(connection);
  if (events & connection->events & UV_READABLE && !connection->closing) on_readable(connection);
}

static void settle(Connection *connection, Queue *queue, Flush *flush) {
  connection->queued -= (double)(flush->sendfile + flush->copied);
  connection->addon->counters[SENT_BY_SENDFILE] += (double)flush->sendfile;
  connection->addon->counters[SENT_BY_COPY] += (double)flush->copied;
  queue_settle(queue, flush);
}

static void flush_failed(Connection *connection, const Flush *flush) {
  CloseKind kind = flush->end == FLUSH_SHORT ? BY_SHORT_FILE : BY_SOCKET;
  if (connection->ending && connection->kind == BY_PEER) kind = BY_PEER;
  connection_close(connection, kind, flush->error);
}

bool connection_go(Connection *connection, double bytes_max) {
  if (!connection->asks || connection->closing) return false;
  connection->asks = false;
  connection->cold_bytes_max = bytes_max;
  queue_split_cold(&connection->queue, &connection->cold);
  connection->cold_flush = (Flush){.fd = connection->fd, .cold = true};
  connection->sending = true;
  pool_submit(&connection->addon->pool, LANE_READ, &connection->job);
  return true;
}

void connection_flush(Connection *connection) {
  if (connection->sending || connection->asks || connection->closing) return;
  Addon *addon = connection->addon;
  Flush flush = {.fd = connection->fd, .budget = TURN_BYTES, .scratch = addon->scratch};
  queue_flush(&connection->queue, &flush);
  settle(connection, &connection->queue, &flush);
  queue_own(&connection->queue);
  connection->blocked = flush.end == FLUSH_AGAIN || flush.end == FLUSH_BUDGET;
  connection->asks = flush.end == FLUSH_COLD;
  bool over = flush.end == FLUSH_EMPTY && connection->ending;
  if (flush.end >= FLUSH_FAILED) flush_failed(connection, &flush);
  else if (over) connection_close(connection, connection->kind, 0);
  else connection_update(connection);
}

/* Once both the poll handle and the last job are done. */
static void release(Connection *connection) {
  if (connection->poll_open || connection->sending) return;
  if (connection->fd >= 0) close(connection->fd);
  queue_drop(&connection->queue);
  free(connection);
}

static void cold_done(Job *job, bool alive) {
  Connection *connection = (Connection *)job;
  Flush *flush = &connection->cold_flush;
  connection->sending = false;
  settle(connection, &connection->cold, flush);
  queue_prepend(&connection->queue, &connection->cold);
  if (connection->closing) {
    release(connection);
    return;
  }
  if (!alive) return;
  connection->blocked = flush->end == FLUSH_AGAIN;
  if (flush->end >= FLUSH_FAILED) flush_failed(connection, flush);
  else if (!connection->blocked) connection_flush(connection);
  connection_update(connection);
  if (connection->closing) return;
  double next = connection->asks ? queue_cold_bytes(&connection->queue) : 0;
  double ended[] = {connection->handle, (double)(flush->sendfile + flush->copied), next};
  addon_call(connection->addon, COLD_ENDED, 3, ended);
  tell_drained(connection);
}

void connection_end(Connection *connection, CloseKind kind) {
  connection->ending = true;
  connection->kind = kind;
  if (connection->queue.head || connection->sending) connection_update(connection);
  else connection_close(connection, kind, 0);
}

static void on_poll_closed(uv_handle_t *handle) {
  Connection *connection = (Connection *)((char *)handle - offsetof(Connection, poll));
  Addon *addon = connection->addon;
  double event[] = {connection->handle, connection->kind, (double)connection->detail};
  connection->poll_open = false;
  addon_call(addon, CLOSED, 3, event);
  table_remove(&addon->connections, connection->handle);
  release(connection);
  addon_handle_closed(addon);
}

void connection_close(Connection *connection, CloseKind kind, int64_t detail) {
  if (connection->closing) return;
  connection->closing = true;
  connection->kind = kind;
  connection->detail = detail;
  connection->queued = 0;
  uv_poll_stop(&connection->poll);
  receiver_end(&connection->receiver);
  if (connection->sending) {
    shutdown(connection->fd, SHUT_RDWR); /* the thread that sends finds out, and the peer too */
  } else {
    if (connection->ending) recv(connection->fd, NULL, TURN_BYTES, MSG_TRUNC | MSG_DONTWAIT);
    close(connection->fd);
    connection->fd = -1;
  }
  uv_close((uv_handle_t *)&connection->poll, on_poll_closed);
}
