/* Attempts to connect. */
#pragma once
#include "address.h"
#include "connection.h"

typedef struct {
  Addon *addon;
  uint32_t handle;
  int fd;
  uv_poll_t poll;
  Address remote;
  Terms terms;
} Dial;

/*
 * Begins to connect. The handle, or -errno. Answered by `connected(dial, connection, ends)` or
 * `connectFailed(dial, errno)`, never from inside this call; then the handle is free.
 */
double dial_open(Addon *addon, const Address *remote, const Terms *terms);
/* Gives it up: it is not answered. */
void dial_close(Dial *dial);
