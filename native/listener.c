#include "listener.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 64 };

static void on_poll(uv_poll_t *poll, int status, int events);

/*
 * Within one machine there is no path whose rate is to be found. Where the machine's choice is BBR, a
 * timer would pace what is sent: half of all that a hot read costs (decision 0018). A socket that was
 * ever BBR's stays paced, so that who listens has reno, which is always there and everybody's to
 * choose, and hands it on; a connection of two machines gets the machine's choice again.
 */
static void leave_unpaced(Listener *listener) {
  socklen_t length = sizeof listener->congestion - 1;
  getsockopt(listener->fd, IPPROTO_TCP, TCP_CONGESTION, listener->congestion, &length);
  setsockopt(listener->fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

static void give_back_congestion(const Listener *listener, int fd) {
  const char *name = listener->congestion;
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, strlen(name));
}

/* A bound and listening socket, or -errno. */
static int listen_on(const Address *address, int backlog) {
  int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, &address->any, address_length(address)) == 0 && listen(fd, backlog) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

double listener_open(Addon *addon, const Address *address, int backlog, const Terms *terms) {
  int fd = listen_on(address, backlog);
  if (fd < 0) return fd;
  Listener *listener = calloc(1, sizeof *listener);
  if (!listener) {
    close(fd);
    return -ENOMEM;
  }
  listener->addon = addon;
  listener->fd = fd;
  listener->terms = *terms;
  leave_unpaced(listener);
  uv_poll_init_socket(addon->loop, &listener->poll, fd);
  addon_handle_opened(addon);
  listener->handle = table_add(&addon->listeners, listener);
  Address bound = address_local(fd);
  addon->answer[0] = address_port(&bound);
  listener_resume(listener);
  return listener->handle;
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

static void accepted(Listener *listener, int fd, const Address *remote) {
  Addon *addon = listener->addon;
  Address local = address_local(fd);
  if (!address_same_host(&local, remote)) give_back_congestion(listener, fd);
  Connection *connection = connection_new(addon, fd, &listener->terms);
  napi_handle_scope scope;
  if (!connection) return;
  napi_open_handle_scope(addon->env, &scope);
  napi_value arguments[6] = {addon_number(addon, listener->handle),
                             addon_number(addon, connection->handle)};
  address_texts(addon->env, remote, arguments + 2);
  address_texts(addon->env, &local, arguments + 4);
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
