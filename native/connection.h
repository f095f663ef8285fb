/* Connections and listeners: plaintext sockets that the addon owns. All on the event loop. */
#pragma once
#include <netinet/in.h>
#include "addon.h"
#include "queue.h"

enum { TURN_BYTES = 1088 * 1024 }; /* in, or out, before others have a turn: 1 MiB and headers */
/* A large frame is received to its end and no further: the next begins in its own slab. */
enum { FRAME_BYTES_MIN = 8, FRAME_PREFIX = 4, LARGE_FRAME_BYTES = SMALL_SLAB_BYTES };

/* Why a connection closed; the order is that of `closeKinds` in native-connection.ts. */
typedef enum { BY_PEER, BY_US, BY_FRAME, BY_SOCKET, BY_SHORT_FILE, BY_CALLBACK } CloseKind;

typedef struct Connection {
  Job job; /* first: the pool gives it back */
  Addon *addon;
  uint32_t handle;
  int fd;
  uv_poll_t poll;
  int events;
  uint32_t frame_bytes_max;
  /* [start, end) of the slab is a frame that is not complete. */
  Slab *slab;
  size_t start, end, usual;
  double received;
  bool paused;
  /* Starved: not read, for want of memory; hung: and the peer ended. Admitted: let into it. */
  bool starved, hung, admitted;
  Queue queue;
  double queued;
  /* The socket was full, or the turn over. */
  bool blocked, wants_drained, sending, poll_open;
  /* Owned by a thread of the pool while `sending`. */
  Queue cold;
  Flush cold_flush;
  /* Closes when the queue is empty; `kind` says why. */
  bool ending, closing;
  CloseKind kind;
  int64_t detail;
} Connection;

typedef struct {
  Addon *addon;
  uint32_t handle;
  int fd;
  uv_poll_t poll;
  uint32_t frame_bytes_max;
} Listener;

Connection *connection_new(const Listener *listener, int fd);
/* Polls for what the connection now waits for. */
void connection_update(Connection *connection);
void connection_flush(Connection *connection);
/* Closes soon; `closed` is said from the event loop, never from inside this call. */
void connection_close(Connection *connection, CloseKind kind, int64_t detail);
/* Reads no more, and closes when what is queued has left. */
void connection_end(Connection *connection, CloseKind kind);
void connection_free(Connection *connection);

void receive(Connection *connection);
/* Gives up the slab and the incomplete frame in it. */
void receive_end(Connection *connection);
/* Reads a starved connection again, or gives it up. */
void receive_feed(Connection *connection);
/* The peer of a starved connection is gone: so is this, if its frame cannot become complete. */
void receive_hung(Connection *connection);
/* Memory came free, or its holder went: starved connections are read again if there is room. */
void receive_wake(Addon *addon);

/* Listens on an address; its port is in answer[0]. NULL, and an errno in `error`, on failure. */
Listener *listener_open(Addon *addon, const char *host, int port, int *error);
/* Accepts again after `acceptFailed`. */
void listener_resume(Listener *listener);
void listener_close(Listener *listener);
