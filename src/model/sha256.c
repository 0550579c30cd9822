/* sha256: the hash that pinned files are checked by. Source: FIPS 180-4, sections 5 and 6. */
#include "elm/models.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static void add_block(struct sha256 *h, const uint8_t *block)
{
    uint32_t w[64];
    uint32_t *s = h->state;
    uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], last = s[7];
    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], block + i * 4, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >> 3) + w[i - 7] +
               (turn(y, 17) ^ turn(y, 19) ^ y >> 10);
    }
    for (int i = 0; i < 64; i++) {
        uint32_t t = last + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) +
                     constants[i] + w[i];
        uint32_t u = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        last = g;
        g = f;
        f = e;
        e = d + t;
        d = c;
        c = b;
        b = a;
        a = t + u;
    }
    uint32_t end[8] = {a, b, c, d, e, f, g, last};
    for (int i = 0; i < 8; i++)
        s[i] += end[i];
}

static void add(struct sha256 *h, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t at = h->bytes % 64, now = len < 64 - at ? len : 64 - at;
        memcpy(h->block + at, bytes, now);
        h->bytes += now;
        bytes += now;
        len -= now;
        if (at + now == 64)
            add_block(h, h->block);
    }
}

static void finish(struct sha256 *h, char hex[65])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = __builtin_bswap64(h->bytes * 8);
    add(h, padding, 1 + (119 - h->bytes % 64) % 64);
    add(h, (const uint8_t *)&bits, sizeof(bits));
    for (int i = 0; i < 8; i++)
        snprintf(hex + i * 8, 9, "%08x", h->state[i]);
}

enum elm_status elm_file_sha256(const char *path, char hex[65], struct elm_error *err)
{
    struct sha256 h = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                        0x1f83d9ab, 0x5be0cd19}, 0, {0}};
    uint8_t bytes[65536];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "cannot open '%s': %s",
                        path, strerror(errno));
    }
    while ((got = read(fd, bytes, sizeof(bytes))) > 0 || (got < 0 && errno == EINTR))
        add(&h, bytes, got > 0 ? (size_t)got : 0);
    int error = errno;
    close(fd);
    if (got < 0)
        return elm_fail(err, ELM_IO, "cannot read '%s': %s", path, strerror(error));
    finish(&h, hex);
    return ELM_OK;
}
