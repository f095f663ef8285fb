/* Listeners, connections and send streams for JavaScript: handles in, numbers out. */
#include <errno.h>
#include "call.h"
#include "connection.h"

enum { DO_PAUSE, DO_CLOSE, DO_END, DO_RESUME, DO_READ };

static Connection *connection_of(const Call *call) {
  Connection *connection = table_get(&call->addon->connections, (uint32_t)call_integer(call, 0));
  return connection && !connection->closing ? connection : NULL;
}

/* (host, port, frame bytes at most, request memory at most) => handle, and answer[0] = port */
static double listen_at(Call *call) {
  char host[64];
  int error = 0;
  if (!call_text(call, 0, host, sizeof host)) return -EINVAL;
  Listener *listener = listener_open(call->addon, host, (int)call_integer(call, 1), &error);
  if (!listener) return -error;
  listener->frame_bytes_max = (uint32_t)call_integer(call, 2);
  call->addon->slabs.bytes_max = (double)call_integer(call, 3);
  return listener->handle;
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
  Item item = {.length = (size_t)row[2]};
  if (row[0] < 0) {
    if (napi_get_element(call->env, call->values[3], (*next)++, &value) != napi_ok) return false;
    Bytes bytes = bytes_of(call->env, value);
    item.bytes = bytes.data;
    item.length = bytes.length;
  } else {
    item.file = table_get(&call->addon->files, (uint32_t)row[0]);
    item.stream = table_get(&call->addon->streams, (uint32_t)row[4]);
    if (!item.file || !item.stream) return false;
    item.position = (int64_t)row[1];
    item.small = item.length <= SMALL_RANGE_BYTES;
    item.cold = row[3] != 0;
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

/* (connection, count, rows, byte parts) => 0. A row: file or -1, position, length, cold, stream. */
static double send_parts(Call *call) {
  Connection *connection = connection_of(call);
  if (!connection || connection->ending) return 0;
  uint32_t count = (uint32_t)call_integer(call, 1), next = 0;
  Bytes rows = bytes_of(call->env, call->values[2]);
  Item *last = connection->queue.tail;
  bool idle = !last && !connection->sending;
  if (rows.length < 5 * (size_t)count) return -EINVAL;
  for (uint32_t at = 0; at < count; at++) {
    const double *row = (const double *)(const void *)rows.data + 5 * (size_t)at;
    if (!add_part(call, connection, row, &next)) return -EINVAL;
  }
  mark_headers(last ? last->next : connection->queue.head);
  if (idle) connection_flush(connection);
  queue_own(&connection->queue);
  connection->wants_drained |= connection->queue.head || connection->sending;
  return 0;
}

/* (connection, paused), (connection, close kind) or (connection) */
static double change_connection(Call *call) {
  Connection *connection = connection_of(call);
  int64_t how = call_integer(call, 1);
  if (!connection) return -EBADF;
  if (call->kind == DO_CLOSE) connection_close(connection, (CloseKind)how, 0);
  if (call->kind == DO_END) connection_end(connection, BY_US);
  if (call->kind == DO_PAUSE) {
    connection->paused = how != 0;
    connection_update(connection);
    receive_wake(call->addon);
  }
  return 0;
}

/* (connection): answer = bytes queued, in the incomplete frame, received */
static double connection_numbers(Call *call) {
  Connection *connection = table_get(&call->addon->connections, (uint32_t)call_integer(call, 0));
  if (!connection) return -EBADF;
  call->addon->answer[0] = connection->queued;
  call->addon->answer[1] = (double)(connection->end - connection->start);
  call->addon->answer[2] = connection->received;
  return 0;
}

/* (slab, abandoned): JavaScript is done with a frame, or knows no more who reads it. */
static double release_frame(Call *call) {
  Addon *addon = call->addon;
  Slab *slab = table_get(&addon->slabs.all, (uint32_t)call_integer(call, 0));
  if (!slab) return -EBADF;
  slab->abandoned |= call_integer(call, 1) != 0;
  addon->frames_out--;
  slab_release(&addon->slabs, slab);
  receive_wake(addon);
  return 0;
}

/* () => handle */
static double open_stream(Call *call) {
  Stream *stream = calloc(1, sizeof *stream);
  if (!stream) return -ENOMEM;
  stream->references = 1;
  return table_add(&call->addon->streams, stream);
}

/* (stream): closes it, or answer = bytes sent, hit */
static double use_stream(Call *call) {
  uint32_t handle = (uint32_t)call_integer(call, 0);
  Stream *stream = table_get(&call->addon->streams, handle);
  if (!stream) return -EBADF;
  call->addon->answer[0] = stream->sent;
  call->addon->answer[1] = stream->hit;
  if (call->kind == DO_CLOSE) stream_release(table_remove(&call->addon->streams, handle));
  return 0;
}

void network_register(Addon *addon, napi_value exports) {
  static const Export list[] = {
      PLAIN("listen", listen_at, 0),
      PLAIN("listenerClose", change_listener, DO_CLOSE),
      PLAIN("listenerResume", change_listener, DO_RESUME),
      PLAIN("connectionSend", send_parts, 0),
      PLAIN("connectionPause", change_connection, DO_PAUSE),
      PLAIN("connectionClose", change_connection, DO_CLOSE),
      PLAIN("connectionEnd", change_connection, DO_END),
      PLAIN("connectionNumbers", connection_numbers, 0),
      PLAIN("frameRelease", release_frame, 0),
      PLAIN("streamOpen", open_stream, 0),
      PLAIN("streamRead", use_stream, DO_READ),
      PLAIN("streamClose", use_stream, DO_CLOSE),
  };
  call_register(addon, exports, list, sizeof list / sizeof *list);
}
