/*
 * The limit of a fetch on loopback, and the client that measures it and us alike.
 * sendfile serve FILE CONNECTIONS: prints its port, answers until its clients have gone, prints processor seconds.
 * sendfile load PORT BYTES RANGE FILEBYTES CONNECTIONS FLIGHT: asks over so many connections, so many requests in flight on
 * each; prints seconds, and those of the processor.
 * A request is a frame of 8 bytes: position and length; the answer is a length, then the bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 16, REQUEST_BYTES = 12, TURN_BYTES = 1024 * 1024 };

typedef struct {
  int fd;
  uint8_t request[REQUEST_BYTES];
  size_t request_bytes;
  off_t position;
  size_t left;
  uint32_t events;
} Peer;

static int make_socket(void) {
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  /* Accepted sockets have it from the listener: nothing here is paced (decision 0018). */
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  return fd;
}

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Sends what is left, then reads the next request; false when the client has gone. */
static int advance(Peer *peer, int file) {
  for (size_t turn = 0; turn < TURN_BYTES;) {
    if (peer->left > 0) {
      ssize_t sent = sendfile(peer->fd, file, &peer->position, peer->left);
      if (sent < 0) return errno == EAGAIN;
      peer->left -= (size_t)sent;
      turn += (size_t)sent;
      continue;
    }
    uint8_t *at = peer->request + peer->request_bytes;
    ssize_t got = recv(peer->fd, at, REQUEST_BYTES - peer->request_bytes, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    peer->request_bytes += (size_t)got;
    if (peer->request_bytes < REQUEST_BYTES) return 1;
    uint32_t wish[2];
    memcpy(wish, peer->request + 4, sizeof wish);
    peer->request_bytes = 0;
    peer->position = ntohl(wish[0]);
    peer->left = ntohl(wish[1]);
    if (send(peer->fd, &wish[1], 4, MSG_MORE | MSG_NOSIGNAL) != 4) return 0;
  }
  return 1;
}

static int serve(const char *path, int connections) {
  int file = open(path, O_RDONLY), listener = make_socket(), poll = epoll_create1(0);
  int open_count = 0;
  struct sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (file < 0 || bind(listener, (struct sockaddr *)&address, length) < 0) return 1;
  listen(listener, connections);
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  Peer peers[CONNECTIONS_MAX] = {0};
  for (; open_count < connections; open_count++) {
    Peer *peer = &peers[open_count];
    peer->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    peer->events = EPOLLIN;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    epoll_ctl(poll, EPOLL_CTL_ADD, peer->fd, &event);
  }
  while (open_count > 0) {
    struct epoll_event events[CONNECTIONS_MAX];
    int count = epoll_wait(poll, events, CONNECTIONS_MAX, -1);
    for (int at = 0; at < count; at++) {
      Peer *peer = events[at].data.ptr;
      if (!advance(peer, file)) {
        close(peer->fd);
        open_count--;
      } else if (peer->events != (peer->left ? EPOLLOUT : EPOLLIN)) {
        peer->events = peer->left ? EPOLLOUT : EPOLLIN;
        struct epoll_event event = {.events = peer->events, .data.ptr = peer};
        epoll_ctl(poll, EPOLL_CTL_MOD, peer->fd, &event);
      }
    }
  }
  printf("%f\n", processor_seconds());
  return 0;
}

static void ask(int fd, long position, long range) {
  uint32_t words[3] = {htonl(8), htonl((uint32_t)position), htonl((uint32_t)range)};
  if (send(fd, words, sizeof words, 0) != sizeof words) exit(1);
}

static int load(int port, long bytes, long range, long file_bytes, int connections, int flight) {
  static uint8_t buffer[256 * 1024];
  struct sockaddr_in address = loopback(port);
  struct epoll_event event = {.events = EPOLLIN};
  int poll = epoll_create1(0);
  long asked = 0, got = 0, wanted = bytes / range, in_answer[CONNECTIONS_MAX] = {0};
  int sockets[CONNECTIONS_MAX];
  for (int at = 0; at < connections; at++) {
    sockets[at] = make_socket();
    if (connect(sockets[at], (struct sockaddr *)&address, sizeof address) < 0) return 1;
    event.data.u32 = (uint32_t)at;
    epoll_ctl(poll, EPOLL_CTL_ADD, sockets[at], &event);
  }
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (; asked < connections * flight; asked++) {
    ask(sockets[asked % connections], asked * range % file_bytes, range);
  }
  while (got < wanted * (range + 4)) {
    struct epoll_event ready[CONNECTIONS_MAX];
    int count = epoll_wait(poll, ready, CONNECTIONS_MAX, -1);
    for (int at = 0; at < count; at++) {
      uint32_t which = ready[at].data.u32;
      ssize_t taken = recv(sockets[which], buffer, sizeof buffer, 0);
      if (taken <= 0) return 1;
      got += taken;
      in_answer[which] += taken;
      for (; in_answer[which] >= range + 4; in_answer[which] -= range + 4) {
        if (asked < wanted) ask(sockets[which], asked * range % file_bytes, range);
        asked++;
      }
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%f %f\n", (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
         processor_seconds());
  return 0;
}

int main(int count, char **arguments) {
  long numbers[6] = {0};
  for (int at = 2; at < count && at < 8; at++) numbers[at - 2] = atol(arguments[at]);
  if (count == 4 && strcmp(arguments[1], "serve") == 0 && numbers[1] <= CONNECTIONS_MAX) {
    return serve(arguments[2], (int)numbers[1]);
  }
  if (count != 8 || strcmp(arguments[1], "load") != 0 || numbers[4] > CONNECTIONS_MAX) return 2;
  return load((int)numbers[0], numbers[1], numbers[2], numbers[3], (int)numbers[4], (int)numbers[5]);
}
