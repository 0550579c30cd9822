/*
 * base: what every other header stands on: status and error, strings, buffers, arenas,
 * counter-based random numbers and hashes. Knows nothing of evolution.
 *
 * The library never prints and never exits; running out of memory aborts.
 */
#ifndef ELM_BASE_H
#define ELM_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELM_VERSION "0.1.0"

/* 0 is success; every failure is negative and comes with a message in struct elm_error. */
enum elm_status {
    ELM_OK = 0,
    ELM_FAIL = -1,     /* nothing more exact fits */
    ELM_USAGE = -2,    /* the caller or user asked for something that is not allowed */
    ELM_PARSE = -3,    /* text that is malformed */
    ELM_OUTSIDE = -4,  /* well-formed C that is outside core C (src/code) */
    ELM_RANGE = -5,    /* a number or size beyond its limit */
    ELM_NOT_FOUND = -6,
    ELM_EXISTS = -7,
    ELM_IO = -8,       /* the operating system refused: the message holds strerror */
    ELM_FULL = -9,     /* disk or quota is full */
    ELM_LOCKED = -10,  /* another process holds the run */
    ELM_CORRUPT = -11, /* stored data that fails its check */
    ELM_VERSION_TOO_NEW = -12,
    ELM_SANDBOX = -13, /* the cage can't be built or died */
    ELM_STOPPED = -14, /* the caller asked for the end */
    ELM_NOTHING = -15, /* all is in order, and there is nothing to work on */
};

/* Filled on failure, untouched on success. `message`: lower case, no full stop, what failed
 * first, names and values in quotes, and the command that fixes it where there is one. */
struct elm_error {
    enum elm_status status;
    char message[512];
};

/* Sets *err (nullable) and returns status, so that `return elm_fail(...)` reads well. */
enum elm_status elm_fail(struct elm_error *err, enum elm_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define ELM_TRY(expr)                                    \
    do {                                                 \
        enum elm_status elm_try_status_ = (expr);        \
        if (elm_try_status_ != ELM_OK)                   \
            return elm_try_status_;                      \
    } while (0)

/* Always compiled in. A failed assertion is a bug in elm, never a user's mistake. */
#define ELM_ASSERT(condition) \
    ((condition) ? (void)0 : elm_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void elm_assert_failed(const char *condition, const char *file, int line);

#define ELM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A borrowed view of bytes; not terminated. ptr is NULL for "none". */
struct elm_str {
    const char *ptr;
    size_t len;
};
#define ELM_STR(literal) ((struct elm_str){(literal), sizeof(literal) - 1})
struct elm_str elm_str(const char *terminated); /* borrows; NULL gives an empty view */
bool elm_str_equal(struct elm_str a, struct elm_str b);

/* A growable byte buffer. `ptr` is always terminated by a 0 that `len` doesn't count
 * (NULL before the first add). Zero-initialised is empty; elm_buf_release frees. */
struct elm_buf {
    char *ptr;
    size_t len, cap;
};
void elm_buf_add(struct elm_buf *b, const void *bytes, size_t len);
void elm_buf_add_str(struct elm_buf *b, struct elm_str s);
void elm_buf_byte(struct elm_buf *b, uint8_t byte);
void elm_buf_printf(struct elm_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void elm_buf_varint(struct elm_buf *b, uint64_t value);    /* LEB128 */
void elm_buf_zigzag(struct elm_buf *b, int64_t value);     /* zigzag + LEB128 */
void elm_buf_reserve(struct elm_buf *b, size_t more);      /* room for `more` bytes */
void elm_buf_clear(struct elm_buf *b);                     /* len = 0, keeps the memory */
void elm_buf_release(struct elm_buf *b);
struct elm_str elm_buf_str(const struct elm_buf *b);       /* borrows until the next add */

/* Reads what elm_buf_varint and friends wrote. On a short or overlong input `bad` is set and
 * zeros are returned from then on, so that a reader checks once, at its end. */
struct elm_reader {
    const uint8_t *at, *end;
    bool bad;
};
struct elm_reader elm_reader(const void *bytes, size_t len);
uint64_t elm_read_varint(struct elm_reader *r);
int64_t elm_read_zigzag(struct elm_reader *r);
uint8_t elm_read_byte(struct elm_reader *r);
const void *elm_read_bytes(struct elm_reader *r, size_t len); /* NULL and bad when short */

/* malloc family that aborts instead of returning NULL. Freed with free(). */
void *elm_malloc(size_t bytes);
void *elm_calloc(size_t count, size_t bytes);
void *elm_realloc(void *old, size_t bytes);
char *elm_strdup(const char *terminated);
char *elm_strndup(const char *bytes, size_t len);

/* Bump allocator freed as a whole; zero-initialised is empty. 16-byte aligned, not zeroed. */
struct elm_arena {
    struct elm_arena_chunk *head;
    size_t used;
};
void *elm_arena_alloc(struct elm_arena *a, size_t bytes);
void elm_arena_clear(struct elm_arena *a);   /* keeps the largest chunk */
void elm_arena_release(struct elm_arena *a);

/* Counter-based random numbers (Philox2x64-10: Salmon et al. 2011): the stream is a function of
 * (seed, stream) alone, so results don't depend on who draws first. Not for secrets. */
struct elm_rng {
    uint64_t seed, stream, counter;
    uint64_t spare;
    bool has_spare;
};
struct elm_rng elm_rng(uint64_t seed, uint64_t stream);
uint64_t elm_rng_u64(struct elm_rng *r);
uint32_t elm_rng_below(struct elm_rng *r, uint32_t n);     /* 0..n-1, n > 0, unbiased */
int64_t elm_rng_range(struct elm_rng *r, int64_t lo, int64_t hi); /* both ends included */
double elm_rng_unit(struct elm_rng *r);                    /* [0, 1) */
bool elm_rng_chance(struct elm_rng *r, double p);
double elm_rng_normal(struct elm_rng *r);                  /* mean 0, sd 1 */

/* XXH3. Stable across machines and versions; not for security. */
uint64_t elm_hash(const void *bytes, size_t len, uint64_t seed);
uint64_t elm_hash_mix(uint64_t a, uint64_t b);             /* order matters */

/* Monotonic and CPU clocks, microseconds. Never used to decide what is searched. */
int64_t elm_clock_us(void);
int64_t elm_cpu_us(void);        /* this process and its reaped children */

/* Whole file into out (appended). Fails: ELM_IO, ELM_RANGE beyond max_bytes. */
enum elm_status elm_file_read(const char *path, size_t max_bytes, struct elm_buf *out,
                              struct elm_error *err);
/* Writes path through a temporary file, fsync and rename. Fails: ELM_IO, ELM_FULL. */
enum elm_status elm_file_write(const char *path, struct elm_str bytes, struct elm_error *err);

#endif
