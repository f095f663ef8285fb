/* Internet addresses, of either family. */
#pragma once
#include <netinet/in.h>
#include <node_api.h>
#include <stdbool.h>

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} Address;

/* Of a numeric host; false where `host` is none. */
bool address_read(Address *address, const char *host, int port);
/* What system calls want to know beside it. */
socklen_t address_length(const Address *address);
/* Host and port as JavaScript strings. */
void address_texts(napi_env env, const Address *address, napi_value texts[2]);
/* A socket's own end. */
Address address_local(int fd);
/* Whether they have one host: what one end of a connection sends to the other leaves no machine then. */
bool address_same_host(const Address *one, const Address *other);
/* Its port, of either family. */
int address_port(const Address *address);
