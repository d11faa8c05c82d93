/* Many subscribers in one process: client PORT COUNT SUBSCRIBE-PAYLOAD

   Opens COUNT sockets on 127.0.0.1, path /graphql, one subscription each, and one more socket, the probe, which only
   sends pings. Prints "live" when all have answered. Then each line on standard input is a command:

     expect K   count the next K events of each subscriber; "armed" at once, a result line when all have come
     probe K    the same, and ping the server meanwhile over the probe
     sample     the last `next` message of the first subscriber

   result: {"first_ns", "last_ns", "messages", "bytes", "complete", "extra", "closed", "longest_ping_ns"}, where the times
   are CLOCK_MONOTONIC, `complete` counts subscribers that got K or more, and `extra` messages beyond K, those
   since the last result included. It also comes when nothing has arrived for QUIET_NS. Ends with its standard input. */

#include "frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIET_NS 15000000000LL
#define PROBE_EVERY_NS 1000000LL
enum { AT_A_TIME = 64, BUFFER = 1 << 18 };

enum stage { UPGRADING, INITIALISING, SUBSCRIBING, LIVE, CLOSED };

struct subscriber {
    int fd;
    enum stage stage;
    unsigned received;
    uint8_t *rest; /* the beginning of a frame whose end has not come */
    size_t rest_length;
};

static int poller, port, count, opened, live, closed;
static const char *payload;
static struct subscriber *subscribers, *probe;
static uint8_t buffer[BUFFER];
static char sample[BUFFER + 1];

static unsigned expected; /* 0: nothing is being counted */
static int complete;
static int64_t first_ns, last_ns, messages, bytes, extra, quiet_since_ns;
static bool probing;
static int64_t ping_sent_ns, ponged_ns, longest_ping_ns; /* ping_sent_ns is 0 while no ping is under way */

static void send_all(struct subscriber *subscriber, const void *data, size_t length) {
    if (send(subscriber->fd, data, length, MSG_NOSIGNAL) != (ssize_t)length && errno != EPIPE && errno != ECONNRESET)
        die("send");
}

static void send_frame(struct subscriber *subscriber, unsigned opcode, const void *data, size_t length) {
    uint8_t frame[HIGHEST_HEAD + length];
    size_t head = write_head(frame, opcode, length, true);
    memcpy(frame + head, data, length);
    send_all(subscriber, frame, head + length);
}

static void send_text(struct subscriber *subscriber, const char *text) {
    send_frame(subscriber, TEXT, text, strlen(text));
}

static void open_next(void) {
    struct subscriber *subscriber = &subscribers[opened++];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    /* Closed by a reset, a socket does not keep its port for a minute. */
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    subscriber->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (subscriber->fd < 0 || connect(subscriber->fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    setsockopt(subscriber->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(subscriber->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = subscriber};
    epoll_ctl(poller, EPOLL_CTL_ADD, subscriber->fd, &event);
    char request[512];
    int length = snprintf(request, sizeof request,
                          "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
                          port);
    send_all(subscriber, request, length);
}

static void now_live(struct subscriber *subscriber) {
    subscriber->stage = LIVE;
    live++;
    if (opened <= count)
        open_next();
    if (live == count + 1) {
        puts("live");
        fflush(stdout);
    }
}

static void subscribe(struct subscriber *subscriber) {
    char message[strlen(payload) + 128];
    /* As long as the UUIDs that stock clients send, and as different from socket to socket. */
    snprintf(message, sizeof message, "{\"id\":\"%08x-0000-4000-8000-%012x\",\"type\":\"subscribe\",\"payload\":%s}",
             (unsigned)(subscriber - subscribers) * 2654435761u, (unsigned)(subscriber - subscribers), payload);
    send_text(subscriber, message);
    send_text(subscriber, "{\"type\":\"ping\"}"); /* answered after the subscribe message was taken in */
    subscriber->stage = SUBSCRIBING;
}

static void end(struct subscriber *subscriber) {
    if (subscriber->stage == CLOSED)
        return;
    if (live < count + 1) {
        fprintf(stderr, "socket %d was closed before all were subscribed\n", (int)(subscriber - subscribers));
        exit(1);
    }
    subscriber->stage = CLOSED;
    close(subscriber->fd);
    closed++;
}

static void count_event(struct subscriber *subscriber, const struct frame *frame) {
    if (subscriber == subscribers) {
        memcpy(sample, frame->payload, frame->length);
        sample[frame->length] = 0;
    }
    messages++;
    bytes += frame->size;
    subscriber->received++;
    complete += subscriber->received == expected;
    extra += subscriber->received > expected;
}

static void take_message(struct subscriber *subscriber, const struct frame *frame) {
    if (is_type(frame, "next")) {
        count_event(subscriber, frame);
    } else if (is_type(frame, "ping")) {
        send_text(subscriber, "{\"type\":\"pong\"}");
    } else if (is_type(frame, "pong") && subscriber == probe) {
        ponged_ns = now_ns();
        if (ping_sent_ns && ponged_ns - ping_sent_ns > longest_ping_ns)
            longest_ping_ns = ponged_ns - ping_sent_ns;
        ping_sent_ns = 0;
    } else if (is_type(frame, "pong") && subscriber->stage == SUBSCRIBING) {
        now_live(subscriber);
    } else if (is_type(frame, "connection_ack")) {
        if (subscriber == probe)
            now_live(subscriber);
        else
            subscribe(subscriber);
    } else if (!is_type(frame, "pong")) {
        fprintf(stderr, "unexpected: %.*s\n", (int)frame->length, (char *)frame->payload);
    }
}

static void take_frame(struct subscriber *subscriber, const struct frame *frame) {
    if (frame->opcode == TEXT) {
        take_message(subscriber, frame);
    } else if (frame->opcode == PING) {
        send_frame(subscriber, PONG, frame->payload, frame->length);
    } else if (frame->opcode == CLOSE) {
        if (closed == 0)
            fprintf(stderr, "closed by the server: %d %.*s\n", frame->payload[0] << 8 | frame->payload[1],
                    (int)frame->length - 2, (char *)frame->payload + 2);
        end(subscriber);
    } else {
        fprintf(stderr, "a frame of kind %u\n", frame->opcode);
        exit(1);
    }
}

/* Returns how much of the answer to the handshake there is, 0 while it is not whole. */
static size_t upgrade(struct subscriber *subscriber, const uint8_t *data, size_t length) {
    const uint8_t *blank = memmem(data, length, "\r\n\r\n", 4);
    if (blank == NULL)
        return 0;
    if (memcmp(data, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "no WebSocket: %.*s\n", (int)length, (const char *)data);
        exit(1);
    }
    subscriber->stage = INITIALISING;
    send_text(subscriber, "{\"type\":\"connection_init\"}");
    return blank + 4 - data;
}

static void take(struct subscriber *subscriber) {
    size_t length = subscriber->rest_length, done = 0;
    if (length)
        memcpy(buffer, subscriber->rest, length);
    ssize_t got = recv(subscriber->fd, buffer + length, BUFFER - length, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end(subscriber);
        return;
    }
    length += got;
    if (subscriber->stage == UPGRADING)
        done = upgrade(subscriber, buffer, length);
    struct frame frame;
    while (subscriber->stage != UPGRADING && subscriber->stage != CLOSED && read_frame(buffer + done, length - done, &frame)) {
        take_frame(subscriber, &frame);
        done += frame.size;
    }
    if (length > done || subscriber->rest_length) {
        subscriber->rest_length = length - done;
        subscriber->rest = realloc(subscriber->rest, subscriber->rest_length + 1);
        memcpy(subscriber->rest, buffer + done, subscriber->rest_length);
    }
}

static void start_counting(unsigned events, bool with_probe) {
    for (int i = 0; i < count; i++)
        subscribers[i].received = 0;
    expected = events;
    probing = with_probe;
    complete = 0;
    first_ns = last_ns = messages = bytes = longest_ping_ns = ping_sent_ns = 0;
    quiet_since_ns = now_ns();
    puts("armed");
    fflush(stdout);
}

static void report(void) {
    int64_t waiting_ns = ping_sent_ns ? now_ns() - ping_sent_ns : 0;
    printf("{\"first_ns\":%ld,\"last_ns\":%ld,\"messages\":%ld,\"bytes\":%ld,\"complete\":%d,\"extra\":%ld,\"closed\":%d,"
           "\"longest_ping_ns\":%ld}\n",
           first_ns, last_ns, messages, bytes, complete, extra, closed,
           waiting_ns > longest_ping_ns ? waiting_ns : longest_ping_ns);
    fflush(stdout);
    expected = extra = 0;
    probing = false;
}

static void obey(void) {
    char line[64], name[8];
    unsigned events = 0;
    /* One command at a time: the sender waits for its answer. */
    ssize_t length = read(STDIN_FILENO, line, sizeof line - 1);
    if (length <= 0)
        exit(0);
    line[length] = 0;
    if (sscanf(line, "%7s %u", name, &events) == 2 && events > 0)
        start_counting(events, strcmp(name, "probe") == 0);
    else {
        puts(sample);
        fflush(stdout);
    }
}

static void ping_if_due(void) {
    int64_t now = now_ns();
    if (ping_sent_ns == 0 && now - ponged_ns >= PROBE_EVERY_NS) {
        ping_sent_ns = now;
        send_text(probe, "{\"type\":\"ping\"}");
    }
}

static void run(void) {
    struct epoll_event events[AT_A_TIME];
    for (;;) {
        int ready = epoll_wait(poller, events, AT_A_TIME, probing ? 1 : 100);
        int64_t messages_before = messages;
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL)
                obey();
            else
                take(events[i].data.ptr);
        }
        if (probing)
            ping_if_due();
        if (expected == 0)
            continue;
        int64_t now = now_ns();
        if (messages > messages_before) {  // fewer where counting has just begun
            quiet_since_ns = last_ns = now;
            first_ns = first_ns ? first_ns : now;
        }
        if (complete == count || now - quiet_since_ns > QUIET_NS)
            report();
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "client PORT COUNT SUBSCRIBE-PAYLOAD\n");
        return 2;
    }
    port = atoi(argv[1]);
    count = atoi(argv[2]);
    payload = argv[3];
    allow_many_files();
    poller = epoll_create1(0);
    subscribers = calloc(count + 1, sizeof *subscribers);
    probe = &subscribers[count];
    struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
    while (opened < AT_A_TIME && opened <= count)
        open_next();
    run();
}
