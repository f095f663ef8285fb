/* Sockets that listen, and what they accept. */
#pragma once
#include "address.h"
#include "connection.h"

typedef struct {
  Addon *addon;
  uint32_t handle;
  int fd;
  uv_poll_t poll;
  Terms terms;
  /* What the machine gives a socket. */
  char congestion[16];
} Listener;

/* Listens, for connections on `terms`. The handle, its port in answer[0]; or -errno. */
double listener_open(Addon *addon, const Address *address, int backlog, const Terms *terms);
/* Accepts again after `acceptFailed`. */
void listener_resume(Listener *listener);
void listener_close(Listener *listener);
