#include "network.h"
#include <errno.h>
#include "call.h"
#include "dial.h"
#include "listener.h"

enum { DO_PAUSE, DO_CLOSE, DO_END, DO_RESUME, DO_READ };
/* A row of `sendRows`. No file: bytes at POSITION of `sendBytes`; no position either: a part. */
enum {
  ROW_FILE,
  ROW_POSITION,
  ROW_LENGTH,
  ROW_COLD,
  ROW_STREAM,
  ROW_DROP_POSITION,
  ROW_DROP_LENGTH,
  SEND_ROW_LENGTH
};
enum { SEND_ROWS = 256, SEND_BYTES = 16 * 1024 };

/* As JavaScript calls them (`CloseReason` in src/env/network.ts). */
static const char *const close_kinds[CLOSE_KIND_COUNT] = {
    [BY_PEER] = "peer",
    [BY_US] = "local",
    [BY_FRAME] = "frame",
    [BY_SOCKET] = "socket",
    [BY_SHORT_FILE] = "short-file",
    [BY_CALLBACK] = "callback",
};

static Connection *connection_of(const Call *call) {
  Connection *connection = table_get(&call->addon->connections, (uint32_t)call_integer(call, 0));
  return connection && !connection->closing ? connection : NULL;
}

/* The first two arguments of `listen` and `connect`. */
static bool read_address(const Call *call, Address *address) {
  char host[INET6_ADDRSTRLEN];
  if (!call_text(call, 0, host, sizeof host)) return false;
  return address_read(address, host, (int)call_integer(call, 1));
}

/* The next three. */
static Terms read_terms(const Call *call, bool takes_answers) {
  return (Terms){
      .frame_bytes_min = (uint32_t)call_integer(call, 2),
      .frame_bytes_max = (uint32_t)call_integer(call, 3),
      .keep_alive_seconds = (int)call_integer(call, 4),
      .takes_answers = takes_answers,
      .never_starves = takes_answers,
  };
}

/*
 * (host, port, frame bytes min, max, keep-alive seconds, backlog, never starves) => handle,
 * answer[0] = port
 */
static double listen_at(Call *call) {
  Address address;
  Terms terms = read_terms(call, false);
  terms.never_starves = call_integer(call, 6) != 0;
  if (!read_address(call, &address)) return -EINVAL;
  return listener_open(call->addon, &address, (int)call_integer(call, 5), &terms);
}

/* (host, port, frame bytes min, max, keep-alive seconds) => handle of the attempt */
static double connect_to(Call *call) {
  Address address;
  Terms terms = read_terms(call, true);
  if (!read_address(call, &address)) return -EINVAL;
  return dial_open(call->addon, &address, &terms);
}

/* (dial): not answered any more. */
static double cancel_dial(Call *call) {
  Dial *dial = table_get(&call->addon->dials, (uint32_t)call_integer(call, 0));
  if (!dial) return -EBADF;
  dial_close(dial);
  return 0;
}

/* (any, small, large, begun, kept, short): see MemoryBounds and SlabPool. */
static double bound_memory(Call *call) {
  RequestMemory *memory = &call->addon->memory;
  memory->bounds = (MemoryBounds){
      .any = (double)call_integer(call, 0),
      .small = (double)call_integer(call, 1),
      .large = (double)call_integer(call, 2),
      .begun = (double)call_integer(call, 3),
  };
  memory->slabs.kept_bytes_max = (double)call_integer(call, 4);
  memory->slabs.short_bytes = (double)call_integer(call, 5);
  return 0;
}

/* (listener): closes it, or lets it accept again after `acceptFailed`. */
static double change_listener(Call *call) {
  Listener *listener = table_get(&call->addon->listeners, (uint32_t)call_integer(call, 0));
  if (!listener) return -EBADF;
  if (call->kind == DO_CLOSE) listener_close(listener);
  else listener_resume(listener);
  return 0;
}

/* One row of `send`; `next` counts the byte parts taken so far. */
static bool add_part(const Call *call, Connection *connection, const double *row, uint32_t *next) {
  napi_value value;
  Item item = {.length = (size_t)row[ROW_LENGTH]};
  if (row[ROW_FILE] < 0 && row[ROW_POSITION] >= 0) {
    if (row[ROW_POSITION] + row[ROW_LENGTH] > SEND_BYTES) return false;
    item.bytes = call->addon->send_bytes + (size_t)row[ROW_POSITION];
  } else if (row[ROW_FILE] < 0) {
    if (napi_get_element(call->env, call->values[2], (*next)++, &value) != napi_ok) return false;
    Bytes bytes = bytes_of(call->env, value);
    item.bytes = bytes.data;
    item.length = bytes.length;
  } else {
    item.file = table_get(&call->addon->files, (uint32_t)row[ROW_FILE]);
    item.stream = table_get(&call->addon->streams, (uint32_t)row[ROW_STREAM]);
    if (!item.file || !item.stream) return false;
    item.position = (int64_t)row[ROW_POSITION];
    item.small = item.length <= SMALL_RANGE_BYTES;
    item.cold = row[ROW_COLD] != 0;
    item.drop_position = (int64_t)row[ROW_DROP_POSITION];
    item.drop_length = (int64_t)row[ROW_DROP_LENGTH];
  }
  if (item.length > 0) queue_add(&connection->queue, &item);
  connection->queued += (double)item.length;
  return true;
}

/* The bytes right before a cold range leave with it. */
static void mark_headers(Item *first) {
  Item *run = NULL;
  for (Item *item = first; item; item = item->next) {
    if (!item->file) {
      if (!run) run = item;
      continue;
    }
    for (; item->cold && run && run != item; run = run->next) run->cold = true;
    run = NULL;
  }
}

/* (connection, count of rows, byte parts, whether more of the message comes) => bytes of the cold run that came to the head
 * by this call, and asks; else 0 */
static double send_parts(Call *call) {
  Connection *connection = connection_of(call);
  if (!connection || connection->ending) return 0;
  uint32_t count = (uint32_t)call_integer(call, 1), next = 0;
  bool asked = connection->asks;
  Item *last = connection->queue.tail;
  if (count > SEND_ROWS) return -EINVAL;
  for (uint32_t at = 0; at < count; at++) {
    const double *row = call->addon->send_rows + SEND_ROW_LENGTH * (size_t)at;
    if (!add_part(call, connection, row, &next)) return -EINVAL;
  }
  mark_headers(last ? last->next : connection->queue.head);
  if (!call_integer(call, 3) && !connection->blocked) connection_flush(connection);
  queue_own(&connection->queue);
  connection->wants_drained |= connection->queue.head || connection->sending;
  return !asked && connection->asks ? queue_cold_bytes(&connection->queue) : 0;
}

/* (connection, bytes max): its cold run goes to a thread */
static double let_go(Call *call) {
  Connection *connection = connection_of(call);
  return connection && connection_go(connection, (double)call_integer(call, 1)) ? 0 : -EBADF;
}

/* (connection, paused), (connection, close kind) or (connection) */
static double change_connection(Call *call) {
  Connection *connection = connection_of(call);
  int64_t how = call_integer(call, 1);
  if (!connection) return -EBADF;
  if (call->kind == DO_CLOSE) connection_close(connection, (CloseKind)how, 0);
  if (call->kind == DO_END) connection_end(connection, BY_US);
  if (call->kind == DO_PAUSE) {
    receiver_pause(&connection->receiver, how != 0);
    connection_update(connection);
  }
  return 0;
}

/* (connection): answer = bytes queued, in the incomplete frame, received; 1 where it starves */
static double connection_numbers(Call *call) {
  Connection *connection = table_get(&call->addon->connections, (uint32_t)call_integer(call, 0));
  if (!connection) return -EBADF;
  call->addon->answer[0] = connection->queued;
  call->addon->answer[1] = (double)(connection->receiver.end - connection->receiver.start);
  call->addon->answer[2] = connection->receiver.received;
  call->addon->answer[3] = connection->receiver.starved;
  return 0;
}

/* (slab, abandoned): JavaScript is done with a frame, or knows no more who reads it. */
static double release_frame(Call *call) {
  RequestMemory *memory = &call->addon->memory;
  Slab *slab = table_get(&memory->slabs.all, (uint32_t)call_integer(call, 0));
  if (!slab) return -EBADF;
  memory_release(memory, slab, call_integer(call, 1) != 0);
  return 0;
}

/* () => handle */
static double open_stream(Call *call) {
  Stream *stream = calloc(1, sizeof *stream);
  if (!stream) return -ENOMEM;
  stream->references = 1;
  return table_add(&call->addon->streams, stream);
}

/* (stream): closes it, or answer = bytes sent, hit, and ranges that still refer to it */
static double use_stream(Call *call) {
  uint32_t handle = (uint32_t)call_integer(call, 0);
  Stream *stream = table_get(&call->addon->streams, handle);
  if (!stream) return -EBADF;
  call->addon->answer[0] = stream->sent;
  call->addon->answer[1] = stream->hit;
  call->addon->answer[2] = stream->references - 1;
  if (call->kind == DO_CLOSE) stream_release(table_remove(&call->addon->streams, handle));
  return 0;
}

void network_end(Addon *addon) {
  for (uint32_t at = 0; at < addon->connections.used; at++) {
    Connection *connection = addon->connections.items[at];
    if (connection) connection_close(connection, BY_US, 0);
  }
  for (uint32_t at = 0; at < addon->listeners.used; at++) {
    if (addon->listeners.items[at]) listener_close(addon->listeners.items[at]);
  }
  for (uint32_t at = 0; at < addon->dials.used; at++) {
    if (addon->dials.items[at]) dial_close(addon->dials.items[at]);
  }
}

void network_register(Addon *addon, napi_value exports, napi_value constants) {
  static const Export list[] = {
      PLAIN("listen", listen_at, 0),
      PLAIN("listenerClose", change_listener, DO_CLOSE),
      PLAIN("listenerResume", change_listener, DO_RESUME),
      PLAIN("connect", connect_to, 0),
      PLAIN("connectCancel", cancel_dial, 0),
      PLAIN("connectionSend", send_parts, 0),
      PLAIN("connectionGo", let_go, 0),
      PLAIN("connectionPause", change_connection, DO_PAUSE),
      PLAIN("connectionClose", change_connection, DO_CLOSE),
      PLAIN("connectionEnd", change_connection, DO_END),
      PLAIN("connectionNumbers", connection_numbers, 0),
      PLAIN("requestMemoryBounds", bound_memory, 0),
      PLAIN("frameRelease", release_frame, 0),
      PLAIN("streamOpen", open_stream, 0),
      PLAIN("streamRead", use_stream, DO_READ),
      PLAIN("streamClose", use_stream, DO_CLOSE),
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
  addon_constant(addon, constants, "sendRowLength", SEND_ROW_LENGTH);
  addon->send_rows = addon_array(addon, exports, "sendRows", SEND_ROW_LENGTH * SEND_ROWS);
  addon->send_bytes = addon_bytes(addon, exports, "sendBytes", SEND_BYTES);
  addon_constant(addon, constants, "frameRowLength", FRAME_ROW_LENGTH);
  addon_constant_names(addon, constants, "closeKinds", close_kinds, CLOSE_KIND_COUNT);
}
