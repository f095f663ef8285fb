/*
 * The client of tail.ts: one thread that sends records at a steady rate and reads them back, and notes of each when it
 * was due, sent, acknowledged and back, and how long client and broker waited meanwhile for a processor that others had.
 * tail PORT BROKERPID SECONDS RATE PRODUCE FETCH OFFSETAT: PRODUCE and FETCH are files with a whole request each, of
 * one record and of one partition, OFFSETAT is where the fetch offset stands in the second. Prints a line a record:
 * due, sent, acknowledged and back in nanoseconds of CLOCK_MONOTONIC, waited by client and broker in nanoseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4 << 20, WARM_RECORDS = 200 };

typedef struct {
  int64_t due, sent, acked, heard, waited[2];
} Record;

typedef struct {
  int fd;
  size_t filled;
  uint8_t *bytes;
} Peer;

typedef struct {
  uint8_t bytes[65536];
  size_t length;
} Request;

static int schedstats[2]; /* of this thread, and of the broker's main thread */

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* Second field of /proc/PID/schedstat: how long it stood ready to run, and did not. */
static int64_t waited_ns(int which) {
  char text[128];
  ssize_t got = pread(schedstats[which], text, sizeof text - 1, 0);
  if (got <= 0) die("schedstat");
  text[got] = 0;
  return atoll(strchr(text, ' '));
}

static Request read_request(const char *path) {
  Request request;
  int fd = open(path, O_RDONLY);
  ssize_t got = fd < 0 ? -1 : read(fd, request.bytes, sizeof request.bytes);
  if (got <= 0) die(path);
  close(fd);
  request.length = (size_t)got;
  return request;
}

static Peer dial(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return (Peer){.fd = fd, .bytes = malloc(BUFFER_BYTES)};
}

static void send_all(const Peer *peer, const Request *request) {
  for (size_t at = 0; at < request->length;) {
    ssize_t sent = send(peer->fd, request->bytes + at, request->length - at, 0);
    if (sent < 0) die("send");
    at += (size_t)sent;
  }
}

static uint32_t u32_at(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return be32toh(value);
}

/* Takes what came; the length of the first whole frame without its prefix, or 0. */
static size_t whole_frame(const Peer *peer) {
  if (peer->filled < 4) return 0;
  size_t length = u32_at(peer->bytes);
  return peer->filled < 4 + length ? 0 : length;
}

static void receive(Peer *peer) {
  ssize_t got = recv(peer->fd, peer->bytes + peer->filled, BUFFER_BYTES - peer->filled, 0);
  if (got <= 0) die("the broker closed the connection");
  peer->filled += (size_t)got;
}

static void drop_frame(Peer *peer, size_t length) {
  peer->filled -= 4 + length;
  memmove(peer->bytes, peer->bytes + 4 + length, peer->filled);
}

/* Records in the answer to a Fetch of v11 for one partition. */
static int64_t count_records(const uint8_t *frame) {
  const uint8_t *at = frame + 4 + 4 + 2 + 4 + 4; /* correlation, throttle, error, session, topics */
  at += 2 + (at[0] << 8 | at[1]) + 4;            /* name, partitions */
  if (at[4] || at[5]) die("the partition answered an error");
  at += 4 + 2 + 8 + 8 + 8; /* index, error, high watermark, last stable offset, log start */
  uint32_t aborted = u32_at(at);
  at += 4 + (aborted == UINT32_MAX ? 0 : 16 * aborted) + 4; /* and the preferred replica */
  uint32_t length = u32_at(at);
  int64_t count = 0;
  at += 4;
  for (size_t left = length == UINT32_MAX ? 0 : length; left >= 61;) {
    size_t batch = 12 + u32_at(at + 8);
    if (batch > left) break;
    count += u32_at(at + 23) + 1;
    at += batch, left -= batch;
  }
  return count;
}

typedef struct {
  Peer producer, consumer;
  Request produce, fetch;
  uint8_t *offset_at;
  int64_t total, sent, acked, heard;
  Record *records;
} Run;

static void send_fetch(Run *run) {
  uint64_t offset = htobe64((uint64_t)run->heard);
  memcpy(run->offset_at, &offset, sizeof offset);
  send_all(&run->consumer, &run->fetch);
}

static void send_due(Run *run, int64_t from, double gap) {
  for (; run->sent < run->total; run->sent++) {
    Record *record = &run->records[run->sent];
    record->due = from + (int64_t)((double)run->sent * gap);
    if (now_ns() < record->due) return;
    for (int which = 0; which < 2; which++) record->waited[which] = -waited_ns(which);
    record->sent = now_ns();
    send_all(&run->producer, &run->produce);
  }
}

static void take_answers(Run *run) {
  for (size_t length; (length = whole_frame(&run->producer)); drop_frame(&run->producer, length)) {
    run->records[run->acked++].acked = now_ns();
  }
  for (size_t length; (length = whole_frame(&run->consumer)); drop_frame(&run->consumer, length)) {
    int64_t count = count_records(run->consumer.bytes + 4), at = now_ns();
    int64_t waited[2] = {waited_ns(0), waited_ns(1)};
    for (; count > 0 && run->heard < run->total; count--) {
      Record *record = &run->records[run->heard++];
      record->heard = at;
      for (int which = 0; which < 2; which++) record->waited[which] += waited[which];
    }
    if (run->heard < run->total) send_fetch(run);
  }
}

int main(int argc, char **argv) {
  if (argc != 8) return fprintf(stderr, "tail PORT BROKERPID SECONDS RATE PRODUCE FETCH OFFSETAT\n"), 1;
  int port = atoi(argv[1]), rate = atoi(argv[4]);
  char broker[64];
  snprintf(broker, sizeof broker, "/proc/%s/task/%s/schedstat", argv[2], argv[2]);
  schedstats[0] = open("/proc/self/schedstat", O_RDONLY);
  schedstats[1] = open(broker, O_RDONLY);
  if (schedstats[0] < 0 || schedstats[1] < 0) die("schedstat");
  Run run = {.producer = dial(port), .consumer = dial(port), .total = WARM_RECORDS + (int64_t)atoi(argv[3]) * rate};
  run.produce = read_request(argv[5]);
  run.fetch = read_request(argv[6]);
  run.offset_at = run.fetch.bytes + atoi(argv[7]);
  run.records = calloc((size_t)run.total, sizeof *run.records);
  int64_t from = now_ns();
  double gap = 1e9 / rate;
  send_fetch(&run);
  while (run.heard < run.total) {
    send_due(&run, from, gap);
    int64_t left = run.sent < run.total ? from + (int64_t)((double)run.sent * gap) - now_ns() : 1000000000;
    struct timespec wait = {.tv_sec = left > 0 ? left / 1000000000 : 0, .tv_nsec = left > 0 ? left % 1000000000 : 0};
    struct pollfd fds[2] = {{run.producer.fd, POLLIN, 0}, {run.consumer.fd, POLLIN, 0}};
    if (ppoll(fds, 2, &wait, NULL) < 0 && errno != EINTR) die("ppoll");
    if (fds[0].revents) receive(&run.producer);
    if (fds[1].revents) receive(&run.consumer);
    take_answers(&run);
  }
  for (int64_t at = WARM_RECORDS; at < run.total; at++) {
    const Record *it = &run.records[at];
    printf("%lld %lld %lld %lld %lld %lld\n", (long long)it->due, (long long)it->sent, (long long)it->acked,
           (long long)it->heard, (long long)it->waited[0], (long long)it->waited[1]);
  }
  return 0;
}
