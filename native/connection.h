/* A plaintext socket that the addon owns: its life, and the half that sends. On the event loop. */
#pragma once
#include "addon.h"

/* Why a connection closed. */
typedef enum {
  BY_PEER,
  BY_US,
  BY_FRAME,
  BY_SOCKET,
  BY_SHORT_FILE,
  BY_CALLBACK,
  CLOSE_KIND_COUNT
} CloseKind;

/* What is agreed on before there is one, by whoever listens or dials. */
typedef struct {
  uint32_t frame_bytes_min, frame_bytes_max;
  /* Until a silent peer is asked whether it lives. */
  int keep_alive_seconds;
  /* It was dialled: see `takes_answers` of Receiver, and `never_starves`. */
  bool takes_answers, never_starves;
} Terms;

typedef struct {
  Job job; /* first: the pool gives it back */
  Addon *addon;
  uint32_t handle;
  int fd;
  uv_poll_t poll;
  int events;
  Receiver receiver;
  Queue queue;
  double queued;
  /* The socket was full, or the turn over. */
  bool blocked, wants_drained, sending, poll_open;
  /* A cold run is at the head, and JavaScript says when it goes: `connection_go`. */
  bool asks;
  /* What the thread may send of it, in whole turns. */
  double cold_bytes_max;
  /* Owned by a thread of the pool while `sending`. */
  Queue cold;
  Flush cold_flush;
  /* Closes when the queue is empty; `kind` says why. */
  bool ending, closing;
  CloseKind kind;
  int64_t detail;
} Connection;

/* Of a connected socket, which it then owns. Nothing is read before `connection_update`. */
Connection *connection_new(Addon *addon, int fd, const Terms *terms);
/* Polls for what the connection now waits for. */
void connection_update(Connection *connection);
/* Whoever calls it from JavaScript says then that it `asks`, if it does. */
void connection_flush(Connection *connection);
/* The cold run at the head goes to a thread, which sends it up to about `bytes_max`; false where none waits. */
bool connection_go(Connection *connection, double bytes_max);
/* Closes soon; `closed` is said from the event loop, never from inside this call. */
void connection_close(Connection *connection, CloseKind kind, int64_t detail);
/* Reads no more, and closes when what is queued has left. */
void connection_end(Connection *connection, CloseKind kind);
/* The errno that a socket has, or 0. */
int socket_error(int fd);
