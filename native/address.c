#include "address.h"
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

bool address_read(Address *address, const char *host, int port) {
  return uv_ip4_addr(host, port, &address->v4) == 0 || uv_ip6_addr(host, port, &address->v6) == 0;
}

socklen_t address_length(const Address *address) {
  return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

void address_texts(napi_env env, const Address *address, napi_value texts[2]) {
  char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
  int flags = NI_NUMERICHOST | NI_NUMERICSERV;
  getnameinfo(&address->any, sizeof *address, host, sizeof host, port, sizeof port, flags);
  napi_create_string_utf8(env, host, NAPI_AUTO_LENGTH, &texts[0]);
  napi_create_string_utf8(env, port, NAPI_AUTO_LENGTH, &texts[1]);
}

Address address_local(int fd) {
  Address address = {0};
  socklen_t length = sizeof address;
  getsockname(fd, &address.any, &length);
  return address;
}

/* The numbers of the host alone. */
static const void *host_of(const Address *address, size_t *length) {
  bool is_v4 = address->any.sa_family == AF_INET;
  *length = is_v4 ? sizeof address->v4.sin_addr : sizeof address->v6.sin6_addr;
  return is_v4 ? (const void *)&address->v4.sin_addr : &address->v6.sin6_addr;
}

bool address_same_host(const Address *one, const Address *other) {
  size_t length, other_length;
  const void *host = host_of(one, &length), *other_host = host_of(other, &other_length);
  return length == other_length && memcmp(host, other_host, length) == 0;
}

int address_port(const Address *address) {
  return ntohs(address->v4.sin_port); /* where sin6_port is, too */
}
