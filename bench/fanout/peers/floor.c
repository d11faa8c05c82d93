/* The least that a server can do: floor PORT

   Accepts WebSockets, acknowledges, remembers the id of the one subscription of each, answers pings. On the same port it
   takes, from a connection that begins with "PUBLISH K\n", K lines, each the payload of an event, and then writes all K
   frames to each subscriber with one send(), and "done\n" to the publisher. Only the id differs between subscribers. No
   GraphQL, no Redis, no queue: it stops for a reader that does not read. */

#include "../frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_A_TIME = 64, ID_LENGTH = 36, INPUT = 1024, MOST_EVENTS = 1024, LONGEST_EVENT = 1024 };

struct connection {
    int fd;
    bool upgraded;
    char id[ID_LENGTH + 1]; /* empty: no subscription */
    struct connection *next, **link; /* all subscribers */
    size_t length;
    uint8_t input[INPUT];
};

static int poller;
static struct connection *subscribers;
static uint8_t frames[MOST_EVENTS * LONGEST_EVENT];
static size_t frames_length, id_at[MOST_EVENTS];

/* FIPS 180-4, section 6.1, of a text below 120 bytes. */
static void sha1(const char *text, uint8_t digest[20]) {
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t blocks[128] = {0};
    size_t length = strlen(text), size = length < 56 ? 64 : 128;
    memcpy(blocks, text, length);
    blocks[length] = 0x80;
    blocks[size - 2] = length * 8 >> 8;
    blocks[size - 1] = length * 8;
    for (uint8_t *block = blocks; block < blocks + size; block += 64) {
        uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        for (int t = 0; t < 80; t++) {
            uint32_t mixed = t < 16 ? 0 : w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16];
            w[t] = t < 16 ? (uint32_t)block[4 * t] << 24 | block[4 * t + 1] << 16 | block[4 * t + 2] << 8 | block[4 * t + 3]
                          : mixed << 1 | mixed >> 31;
            uint32_t f = t < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                         : t < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                         : t < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                                  : (b ^ c ^ d) + 0xCA62C1D6;
            uint32_t next = (a << 5 | a >> 27) + f + e + w[t];
            e = d, d = c, c = b << 30 | b >> 2, b = a, a = next;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
    }
    for (int i = 0; i < 20; i++)
        digest[i] = state[i / 4] >> (24 - i % 4 * 8);
}

/* RFC 4648, section 4, of 20 bytes. */
static void base64(const uint8_t digest[20], char text[29]) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t padded[21] = {0};
    memcpy(padded, digest, 20);
    for (int i = 0; i < 28; i++) {
        const uint8_t *three = padded + i / 4 * 3;
        uint32_t bits = three[0] << 16 | three[1] << 8 | three[2];
        text[i] = letters[bits >> (18 - i % 4 * 6) & 63];
    }
    text[27] = '=';
    text[28] = 0;
}

/* Waits where the peer does not read. */
static void send_all(int fd, const uint8_t *data, size_t length) {
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return; /* the poller tells of its end */
        if (sent < 0) {
            struct pollfd writable = {.fd = fd, .events = POLLOUT};
            poll(&writable, 1, -1);
            continue;
        }
        data += sent;
        length -= sent;
    }
}

static void send_text(int fd, const char *text) {
    uint8_t frame[HIGHEST_HEAD + INPUT];
    size_t length = strlen(text), head = write_head(frame, TEXT, length, false);
    memcpy(frame + head, text, length);
    send_all(fd, frame, head + length);
}

static void prebuild(int number, const char *payload) {
    char message[LONGEST_EVENT];
    int length = snprintf(message, sizeof message, "{\"id\":\"%*s\",\"type\":\"next\",\"payload\":%s}", ID_LENGTH, "", payload);
    frames_length += write_head(frames + frames_length, TEXT, length, false);
    id_at[number] = frames_length + strlen("{\"id\":\"");
    memcpy(frames + frames_length, message, length);
    frames_length += length;
}

static void publish(int fd) {
    static char line[LONGEST_EVENT];
    FILE *publisher = fdopen(fd, "r+");
    int events = 0;
    if (fscanf(publisher, "PUBLISH %d\n", &events) != 1 || events > MOST_EVENTS)
        events = 0;
    frames_length = 0;
    for (int i = 0; i < events && fgets(line, sizeof line, publisher); i++) {
        line[strcspn(line, "\n")] = 0;
        prebuild(i, line);
    }
    for (struct connection *subscriber = subscribers; subscriber; subscriber = subscriber->next) {
        for (int i = 0; i < events; i++)
            memcpy(frames + id_at[i], subscriber->id, ID_LENGTH);
        send_all(subscriber->fd, frames, frames_length);
    }
    fputs("done\n", publisher);
    fclose(publisher);
}

static void upgrade(struct connection *connection) {
    static const char name[] = "Sec-WebSocket-Key: ";
    char key[25] = "", challenge[64], accept[29], answer[256];
    uint8_t digest[20];
    const char *at = memmem(connection->input, connection->length, name, strlen(name));
    if (at != NULL)
        memcpy(key, at + strlen(name), 24);
    snprintf(challenge, sizeof challenge, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(challenge, digest);
    base64(digest, accept);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
             accept);
    send_all(connection->fd, (uint8_t *)answer, strlen(answer));
    connection->upgraded = true;
}

static void take_message(struct connection *connection, const struct frame *frame) {
    if (is_type(frame, "connection_init"))
        send_text(connection->fd, "{\"type\":\"connection_ack\"}");
    else if (is_type(frame, "ping"))
        send_text(connection->fd, "{\"type\":\"pong\"}");
    else if (is_type(frame, "subscribe") && frame->length > 7 + ID_LENGTH && connection->link == NULL) {
        memcpy(connection->id, frame->payload + strlen("{\"id\":\""), ID_LENGTH);
        connection->next = subscribers;
        connection->link = &subscribers;
        if (subscribers)
            subscribers->link = &connection->next;
        subscribers = connection;
    }
}

static void end(struct connection *connection) {
    if (connection->link) {
        *connection->link = connection->next;
        if (connection->next)
            connection->next->link = connection->link;
    }
    close(connection->fd);
    free(connection);
}

static void take(struct connection *connection) {
    size_t done = 0;
    ssize_t got = recv(connection->fd, connection->input + connection->length, INPUT - connection->length, 0);
    if (got <= 0) {
        end(connection);
        return;
    }
    connection->length += got;
    if (!connection->upgraded) {
        if (memmem(connection->input, connection->length, "\r\n\r\n", 4) == NULL)
            return;
        upgrade(connection);
        connection->length = 0; /* clients wait for the answer before they send frames */
    }
    struct frame frame;
    while (read_frame(connection->input + done, connection->length - done, &frame)) {
        take_message(connection, &frame);
        done += frame.size;
    }
    connection->length -= done;
    memmove(connection->input, connection->input + done, connection->length);
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        char first;
        if (recv(fd, &first, 1, MSG_PEEK) == 1 && first == 'P') {
            publish(fd);
            continue;
        }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event events[AT_A_TIME], arrival = {.events = EPOLLIN, .data.ptr = NULL};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    allow_many_files();
    address.sin_port = htons(argc == 2 ? atoi(argv[1]) : 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
        die("listen");
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &arrival);
    for (;;) {
        int ready = epoll_wait(poller, events, AT_A_TIME, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(listener);
            else
                take(events[i].data.ptr);
        }
    }
}
