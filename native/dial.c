#include "dial.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_poll_closed(uv_handle_t *handle) {
  Dial *dial = (Dial *)((char *)handle - offsetof(Dial, poll));
  Addon *addon = dial->addon;
  free(dial);
  addon_handle_closed(addon);
}

/* The attempt is over; its socket is the caller's. */
static int let_go(Dial *dial) {
  table_remove(&dial->addon->dials, dial->handle);
  uv_poll_stop(&dial->poll);
  uv_close((uv_handle_t *)&dial->poll, on_poll_closed);
  return dial->fd;
}

void dial_close(Dial *dial) {
  close(let_go(dial));
}

static void failed(Dial *dial, int error) {
  double event[] = {dial->handle, error};
  Addon *addon = dial->addon;
  dial_close(dial);
  addon_call(addon, CONNECT_FAILED, 2, event);
}

/* A socket has one poll handle at a time: the attempt's is stopped, then comes the connection's. */
static void connected(Dial *dial) {
  Addon *addon = dial->addon;
  napi_handle_scope scope;
  Address local = address_local(dial->fd);
  Connection *connection = connection_new(addon, let_go(dial), &dial->terms);
  double refused[] = {dial->handle, ENOMEM};
  if (!connection) {
    addon_call(addon, CONNECT_FAILED, 2, refused);
    return;
  }
  napi_open_handle_scope(addon->env, &scope);
  napi_value arguments[6] = {addon_number(addon, dial->handle),
                             addon_number(addon, connection->handle)};
  address_texts(addon->env, &dial->remote, arguments + 2);
  address_texts(addon->env, &local, arguments + 4);
  addon_call_with(addon, CONNECTED, 6, arguments);
  napi_close_handle_scope(addon->env, scope);
  connection_update(connection);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  Dial *dial = (Dial *)((char *)poll - offsetof(Dial, poll));
  (void)events;
  int error = socket_error(dial->fd);
  if (status < 0 && error == 0) error = ECONNRESET;
  if (error == 0) connected(dial);
  else failed(dial, error);
}

double dial_open(Addon *addon, const Address *remote, const Terms *terms) {
  int fd = socket(remote->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  bool begun = connect(fd, &remote->any, address_length(remote)) == 0 ||
               errno == EINPROGRESS || errno == EINTR;
  int error = begun ? ENOMEM : errno;
  Dial *dial = begun ? calloc(1, sizeof *dial) : NULL;
  if (!dial) {
    close(fd);
    return -error;
  }
  dial->addon = addon;
  dial->fd = fd;
  dial->remote = *remote;
  dial->terms = *terms;
  uv_poll_init_socket(addon->loop, &dial->poll, fd);
  addon_handle_opened(addon);
  dial->handle = table_add(&addon->dials, dial);
  uv_poll_start(&dial->poll, UV_WRITABLE, on_poll);
  return dial->handle;
}
