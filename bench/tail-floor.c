/*
 * The least that a broker does for the client of tail.ts, as its rival: one thread that takes a Produce, sums its batch, writes it into
 * the page cache, answers, and gives a waiting Fetch its bytes by sendfile. It knows one partition, one batch length, and no error.
 * tail-floor FILE FETCHOFFSETAT: prints its port, answers until its clients have gone. Built with ../native/crc32c.c.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../native/crc32c.h"

enum { PEERS = 2, BUFFER_BYTES = 1 << 20, PRODUCE = 0, HEADER_BYTES = 74 };

typedef struct {
  int fd;
  size_t filled;
  uint8_t *bytes;
  int waits;        /* a Fetch that has no answer yet */
  uint8_t asked[4]; /* its correlation id */
  uint64_t offset;
} Peer;

static Peer peers[PEERS];
static int file;
static uint64_t end_offset;
static size_t batch_bytes;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint32_t u32_at(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return be32toh(value);
}

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes) {
  for (size_t index = 0; index < bytes; index++) at[index] = (uint8_t)(value >> 8 * (bytes - 1 - index));
  return at + bytes;
}

/* An answer to a Fetch of v11, as tail.c reads it: its bytes follow from the file. */
static void answer_fetch(Peer *peer) {
  size_t length = (size_t)(end_offset - peer->offset) * batch_bytes;
  off_t from = (off_t)(peer->offset * batch_bytes);
  uint8_t head[HEADER_BYTES], *at = put(head, HEADER_BYTES - 4 + length, 4);
  memcpy(at, peer->asked, 4);
  at = put(put(put(at + 4, 0, 4), 0, 2), 0, 4);        /* throttle, error, session */
  at = put(put(put(at, 1, 4), 4, 2), 0x7461696c, 4);   /* topics, name */
  at = put(put(put(at, 1, 4), 0, 4), 0, 2);            /* partitions, index, error */
  at = put(put(put(at, end_offset, 8), end_offset, 8), 0, 8); /* watermark, last stable, start */
  at = put(put(put(at, UINT32_MAX, 4), UINT32_MAX, 4), length, 4);
  if (at != head + HEADER_BYTES || send(peer->fd, head, HEADER_BYTES, MSG_MORE) != HEADER_BYTES) die("answer");
  while (length > 0) {
    ssize_t sent = sendfile(peer->fd, file, &from, length);
    if (sent <= 0) die("sendfile");
    length -= (size_t)sent;
  }
  peer->waits = 0;
}

static void append(Peer *peer, uint8_t *frame, size_t length) {
  uint8_t *name = memmem(frame, length, "tail\0\0\0\1\0\0\0\0", 12);
  if (!name) die("a Produce that is not of tail.ts");
  uint8_t *batch = name + 16;
  batch_bytes = u32_at(name + 12);
  put(batch, end_offset, 8);
  if (u32_at(batch + 17) != crc32c(0, batch + 21, batch_bytes - 21)) die("a batch that is damaged");
  if (pwrite(file, batch, batch_bytes, (off_t)(end_offset * batch_bytes)) != (ssize_t)batch_bytes) die("pwrite");
  uint8_t answer[12];
  memcpy(put(answer, 8, 4), frame + 4, 4);
  put(answer + 8, end_offset, 4);
  if (send(peer->fd, answer, sizeof answer, 0) != sizeof answer) die("send");
  end_offset++;
}

static void handle(Peer *peer, uint8_t *frame, size_t length, size_t offset_at) {
  if ((frame[0] << 8 | frame[1]) == PRODUCE) return append(peer, frame, length);
  uint64_t offset;
  memcpy(&offset, frame - 4 + offset_at, sizeof offset);
  memcpy(peer->asked, frame + 4, 4);
  peer->offset = be64toh(offset);
  peer->waits = 1;
}

/* Handles what came; 0 when the client has gone. */
static int receive(Peer *peer, size_t offset_at) {
  ssize_t got = recv(peer->fd, peer->bytes + peer->filled, BUFFER_BYTES - peer->filled, 0);
  if (got <= 0) return 0;
  peer->filled += (size_t)got;
  size_t at = 0;
  for (size_t length; peer->filled - at >= 4; at += 4 + length) {
    length = u32_at(peer->bytes + at);
    if (peer->filled - at < 4 + length) break;
    handle(peer, peer->bytes + at + 4, length, offset_at);
  }
  memmove(peer->bytes, peer->bytes + at, peer->filled -= at);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "tail-floor FILE FETCHOFFSETAT\n"), 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (file < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, PEERS)) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct pollfd fds[PEERS];
  for (int which = 0; which < PEERS; which++) {
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    peers[which] = (Peer){.fd = fd, .bytes = malloc(BUFFER_BYTES)};
    fds[which] = (struct pollfd){.fd = fd, .events = POLLIN};
  }
  for (;;) {
    if (poll(fds, PEERS, -1) < 0) die("poll");
    for (int which = 0; which < PEERS; which++) {
      if (fds[which].revents && !receive(&peers[which], (size_t)atoi(argv[2]))) return 0;
    }
    for (int which = 0; which < PEERS; which++) {
      if (peers[which].waits && peers[which].offset < end_offset) answer_fetch(&peers[which]);
    }
  }
}
