/* Sockets that listen, and what they accept. */
#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include "connection.h"

enum { BACKLOG = 1024, ACCEPTS_PER_TURN = 64 };

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} Address;

static void on_poll(uv_poll_t *poll, int status, int events);

/* A bound and listening socket, or -errno. */
static int listen_on(const char *host, int port) {
  Address address;
  socklen_t length = sizeof address;
  if (uv_ip4_addr(host, port, &address.v4) == 0) length = sizeof address.v4;
  else if (uv_ip6_addr(host, port, &address.v6) != 0) return -EINVAL;
  int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, &address.any, length) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

Listener *listener_open(Addon *addon, const char *host, int port, int *error) {
  int fd = listen_on(host, port);
  Listener *listener = fd < 0 ? NULL : calloc(1, sizeof *listener);
  *error = fd < 0 ? -fd : ENOMEM;
  if (!listener) return NULL;
  listener->addon = addon;
  listener->fd = fd;
  uv_poll_init_socket(addon->loop, &listener->poll, fd);
  addon->handles_open++;
  listener->handle = table_add(&addon->listeners, listener);
  Address address;
  socklen_t length = sizeof address;
  getsockname(fd, &address.any, &length);
  addon->answer[0] = ntohs(address.v4.sin_port); /* where sin6_port is, too */
  listener_resume(listener);
  return listener;
}

static void on_poll_closed(uv_handle_t *handle) {
  Listener *listener = (Listener *)((char *)handle - offsetof(Listener, poll));
  Addon *addon = listener->addon;
  free(listener);
  addon_handle_closed(addon);
}

void listener_close(Listener *listener) {
  table_remove(&listener->addon->listeners, listener->handle);
  uv_poll_stop(&listener->poll);
  close(listener->fd);
  uv_close((uv_handle_t *)&listener->poll, on_poll_closed);
}

void listener_resume(Listener *listener) {
  uv_poll_start(&listener->poll, UV_READABLE, on_poll);
}

/* Adds host and port, as text. */
static void add_address(Addon *addon, const Address *address, napi_value *arguments) {
  char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
  int flags = NI_NUMERICHOST | NI_NUMERICSERV;
  getnameinfo(&address->any, sizeof *address, host, sizeof host, port, sizeof port, flags);
  napi_create_string_utf8(addon->env, host, NAPI_AUTO_LENGTH, &arguments[0]);
  napi_create_string_utf8(addon->env, port, NAPI_AUTO_LENGTH, &arguments[1]);
}

static void accepted(Listener *listener, int fd, const Address *remote) {
  Addon *addon = listener->addon;
  Address local = {0};
  socklen_t length = sizeof local;
  getsockname(fd, &local.any, &length);
  Connection *connection = connection_new(listener, fd);
  napi_handle_scope scope;
  if (!connection) return;
  napi_open_handle_scope(addon->env, &scope);
  napi_value arguments[6] = {addon_number(addon, listener->handle),
                             addon_number(addon, connection->handle)};
  add_address(addon, remote, arguments + 2);
  add_address(addon, &local, arguments + 4);
  addon_call_with(addon, ACCEPTED, 6, arguments);
  napi_close_handle_scope(addon->env, scope);
  connection_update(connection);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  Listener *listener = (Listener *)((char *)poll - offsetof(Listener, poll));
  (void)status, (void)events;
  for (int count = 0; count < ACCEPTS_PER_TURN && uv_is_active((uv_handle_t *)poll); count++) {
    Address remote = {0};
    socklen_t length = sizeof remote;
    int fd = accept4(listener->fd, &remote.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted(listener, fd, &remote);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      /* Out of descriptors or memory. It would fail again at once, so JavaScript resumes it. */
      double event[] = {listener->handle, errno};
      uv_poll_stop(poll);
      addon_call(listener->addon, ACCEPT_FAILED, 2, event);
    }
  }
}
