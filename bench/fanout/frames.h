/* WebSocket frames (RFC 6455, section 5) and what of graphql-transport-ws the client and the floor look at. */

#ifndef FRAMES_H
#define FRAMES_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { TEXT = 0x1, CLOSE = 0x8, PING = 0x9, PONG = 0xA };
enum { HIGHEST_HEAD = 14 };

struct frame {
    unsigned opcode;
    uint8_t *payload;
    size_t length;
    size_t size; /* head included */
};

/* False while the frame is not whole. A masked payload is unmasked in place. */
static inline bool read_frame(uint8_t *data, size_t available, struct frame *frame) {
    if (available < 2)
        return false;
    bool masked = data[1] & 0x80;
    size_t head = 2, length = data[1] & 0x7F, extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (available < head + extended)
        return false;
    if (extended)
        for (length = 0; head < 2 + extended; head++)
            length = length << 8 | data[head];
    uint8_t *mask = data + head;
    head += masked ? 4 : 0;
    if (available < head + length)
        return false;
    *frame = (struct frame){data[0] & 0xF, data + head, length, head + length};
    for (size_t i = 0; masked && i < length; i++)
        frame->payload[i] ^= mask[i & 3];
    return true;
}

/* Writes the head of a final frame and returns its size. Clients must mask: a mask of zeros leaves the payload as it is. */
static inline size_t write_head(uint8_t *out, unsigned opcode, size_t length, bool masked) {
    size_t size = 0, extended = length < 126 ? 0 : length < 65536 ? 2 : 8;
    out[size++] = 0x80 | opcode;
    out[size++] = (masked ? 0x80 : 0) | (extended == 0 ? length : extended == 2 ? 126 : 127);
    for (size_t i = extended; i > 0; i--)
        out[size++] = length >> 8 * (i - 1);
    for (size_t i = 0; masked && i < 4; i++)
        out[size++] = 0;
    return size;
}

/* Whether the first "type" of a message is this one. Servers differ in blanks and in the order of keys. */
static inline bool is_type(const struct frame *frame, const char *type) {
    const char *end = (const char *)frame->payload + frame->length;
    const char *at = memmem(frame->payload, frame->length, "\"type\"", 6);
    if (at == NULL)
        return false;
    for (at += 6; at < end && (*at == ' ' || *at == ':'); at++)
        ;
    size_t length = strlen(type);
    return (size_t)(end - at) >= length + 2 && at[0] == '"' && memcmp(at + 1, type, length) == 0 && at[1 + length] == '"';
}

static inline int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline void allow_many_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

#endif
