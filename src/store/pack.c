/* pack: attempts to columns and back. The order of the columns is the format. */
#include "store/pack.h"

#include <stdlib.h>
#include <string.h>

#include "store/column.h"

/* What an attempt has, so that columns hold only what is there. */
enum {
    HAS_HASH = 1,
    HAS_FIRST = 2,       /* parents[0] */
    HAS_SECOND = 4,      /* parents[1] */
    HAS_OPPONENT = 8,
    HAS_ARRIVAL = 16,
    HAS_EDIT = 32,
    HAS_WHY = 64,
    HAS_NUMBERS = 128,   /* fitness or steps */
};

struct packer {
    struct column_writer *column;
    struct elm_buf bytes;
    uint64_t numbers[PACK_ATTEMPTS_MAX];
    const char *strings[PACK_ATTEMPTS_MAX];
    uint8_t has[PACK_ATTEMPTS_MAX];
};

struct packer *packer_new(void)
{
    struct packer *p = elm_calloc(1, sizeof(*p));
    p->column = column_writer_new();
    return p;
}

void packer_free(struct packer *p)
{
    if (p == NULL)
        return;
    column_writer_free(p->column);
    elm_buf_release(&p->bytes);
    free(p);
}

static uint64_t double_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static double bits_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

static uint8_t what_it_has(const struct elm_attempt *a)
{
    return (uint8_t)((a->hash != 0 ? HAS_HASH : 0) | (a->parents[0] != -1 ? HAS_FIRST : 0) |
                     (a->parents[1] != -1 ? HAS_SECOND : 0) |
                     (a->opponent != -1 ? HAS_OPPONENT : 0) |
                     (a->arrival_us != 0 ? HAS_ARRIVAL : 0) | (a->edit.len > 0 ? HAS_EDIT : 0) |
                     (a->why[0] != '\0' ? HAS_WHY : 0) |
                     (double_bits(a->fitness) != 0 || a->steps != 0 ? HAS_NUMBERS : 0));
}

static uint8_t verdict(const struct elm_attempt *a)
{
    return (uint8_t)(a->outcome | a->better << 2 | a->measure_count << 4);
}

/* ---- packing ---- */
static void put_plain(struct packer *p, struct elm_buf *out)
{
    column_bytes(p->column, p->bytes.ptr, p->bytes.len, out);
    elm_buf_clear(&p->bytes);
}

static void pack_ids(struct packer *p, const struct elm_attempt *a, uint32_t n,
                     struct elm_buf *out)
{
    elm_buf_varint(out, (uint64_t)a[0].batch);
    for (uint32_t i = 1; i < n; i++)
        elm_buf_varint(&p->bytes, (uint64_t)(a[i].id - a[i - 1].id - 1));
    put_plain(p, out);
    for (uint32_t i = 1; i < n; i++)
        elm_buf_varint(&p->bytes, (uint64_t)(a[i].batch - a[i - 1].batch));
    put_plain(p, out);
}

static void pack_bytes(struct packer *p, const struct elm_attempt *a, uint32_t n,
                       struct elm_buf *out)
{
    for (uint32_t i = 0; i < n; i++)
        elm_buf_byte(&p->bytes, a[i].operator_index);
    put_plain(p, out);
    for (uint32_t i = 0; i < n; i++)
        elm_buf_byte(&p->bytes, a[i].status);
    put_plain(p, out);
    for (uint32_t i = 0; i < n; i++)
        elm_buf_byte(&p->bytes, verdict(&a[i]));
    put_plain(p, out);
    for (uint32_t i = 0; i < n; i++)
        elm_buf_byte(&p->bytes, a[i].flags);
    put_plain(p, out);
    column_bytes(p->column, p->has, n, out);
    for (uint32_t i = 0; i < n; i++) {
        if (p->has[i] & HAS_HASH)
            elm_buf_add(&p->bytes, &a[i].hash, sizeof(a[i].hash));
    }
    put_plain(p, out);
}

static void pack_programs(struct packer *p, const struct elm_attempt *a, uint32_t n,
                          struct elm_buf *out)
{
    for (int k = 0; k < 2; k++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (p->has[i] & (k == 0 ? HAS_FIRST : HAS_SECOND))
                p->numbers[count++] = (uint64_t)a[i].parents[k];
        }
        column_numbers(p->column, p->numbers, count, out);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        /* mostly the parent itself */
        if (p->has[i] & HAS_OPPONENT)
            p->numbers[count++] = (uint64_t)a[i].opponent - (uint64_t)a[i].parents[0];
    }
    column_numbers(p->column, p->numbers, count, out);
}

static void pack_numbers(struct packer *p, const struct elm_attempt *a, uint32_t n,
                         struct elm_buf *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (p->has[i] & HAS_NUMBERS)
            p->numbers[count++] = double_bits(a[i].fitness);
    }
    column_numbers(p->column, p->numbers, count, out);
    count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (p->has[i] & HAS_NUMBERS)
            p->numbers[count++] = a[i].steps;
    }
    column_numbers(p->column, p->numbers, count, out);
    for (uint32_t k = 0; k < ELM_MEASURES_MAX; k++) {
        count = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (a[i].measure_count > k)
                p->numbers[count++] = double_bits(a[i].measures[k]);
        }
        column_numbers(p->column, p->numbers, count, out);
    }
}

static void pack_rest(struct packer *p, const struct elm_attempt *a, uint32_t n,
                      struct elm_buf *out)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (p->has[i] & HAS_ARRIVAL) {
            elm_buf_zigzag(&p->bytes, (int64_t)((uint64_t)a[i].arrival_us - before));
            before = (uint64_t)a[i].arrival_us;
        }
    }
    put_plain(p, out);
    for (uint32_t i = 0; i < n; i++) {
        if (p->has[i] & HAS_EDIT)
            elm_buf_varint(&p->bytes, a[i].edit.len);
    }
    put_plain(p, out);
    for (uint32_t i = 0; i < n; i++)
        elm_buf_add_str(&p->bytes, a[i].edit);
    put_plain(p, out);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (p->has[i] & HAS_WHY)
            p->strings[count++] = a[i].why;
    }
    column_strings(p->column, p->strings, count, out);
}

void pack_encode(struct packer *p, const struct elm_attempt *attempts, uint32_t count,
                 struct elm_buf *out)
{
    ELM_ASSERT(count > 0 && count <= PACK_ATTEMPTS_MAX);
    for (uint32_t i = 0; i < count; i++)
        p->has[i] = what_it_has(&attempts[i]);
    elm_buf_clear(&p->bytes);
    pack_ids(p, attempts, count, out);
    pack_bytes(p, attempts, count, out);
    pack_programs(p, attempts, count, out);
    pack_numbers(p, attempts, count, out);
    pack_rest(p, attempts, count, out);
}

/* ---- unpacking ---- */
struct unpacker {
    struct elm_reader row;
    struct elm_arena *arena;
    struct elm_attempt *a;
    uint32_t n;
    const uint8_t *has;
};

static bool used_up(const struct elm_reader *r)
{
    return !r->bad && r->at == r->end;
}

static void unpack_ids(struct unpacker *u, int64_t first)
{
    uint64_t batch = elm_read_varint(&u->row), id = (uint64_t)first;
    struct elm_reader ids = column_read(&u->row, u->arena);
    struct elm_reader batches = column_read(&u->row, u->arena);
    for (uint32_t i = 0; i < u->n; i++) {
        if (i > 0) {
            id += elm_read_varint(&ids) + 1;
            batch += elm_read_varint(&batches);
        }
        u->a[i].id = (int64_t)id;
        u->a[i].batch = (int64_t)batch;
        /* neither may go back, not even by wrapping */
        if (u->a[i].batch < 0 ||
            (i > 0 && (u->a[i].id <= u->a[i - 1].id || u->a[i].batch < u->a[i - 1].batch)))
            u->row.bad = true;
    }
    u->row.bad |= !used_up(&ids) || !used_up(&batches);
}

/* A byte for each attempt; NULL when the column has another length. */
static const uint8_t *read_bytes(struct unpacker *u)
{
    struct elm_reader column = column_read(&u->row, u->arena);
    if (column.bad || (size_t)(column.end - column.at) != u->n)
        u->row.bad = true;
    return u->row.bad ? NULL : column.at;
}

static void unpack_bytes(struct unpacker *u)
{
    const uint8_t *operator = read_bytes(u), *status = read_bytes(u), *verdicts = read_bytes(u),
                  *flags = read_bytes(u);
    u->has = read_bytes(u);
    struct elm_reader hashes = column_read(&u->row, u->arena);
    for (uint32_t i = 0; i < u->n && !u->row.bad; i++) {
        struct elm_attempt *a = &u->a[i];
        a->operator_index = operator[i];
        a->status = status[i];
        a->outcome = verdicts[i] & 3;
        a->better = verdicts[i] >> 2 & 3;
        a->measure_count = verdicts[i] >> 4;
        a->flags = flags[i];
        if (a->status >= ELM_EVAL_STATUSES || a->better > ELM_BETTER_YES ||
            a->measure_count > ELM_MEASURES_MAX)
            u->row.bad = true;
        const void *hash = u->has[i] & HAS_HASH ? elm_read_bytes(&hashes, sizeof(a->hash)) : NULL;
        if (hash != NULL)
            memcpy(&a->hash, hash, sizeof(a->hash));
    }
    u->row.bad |= !used_up(&hashes);
}

/* The numbers of the attempts that have `bit`, or, when it is 0, more than k measures. */
static const uint64_t *read_numbers(struct unpacker *u, uint8_t bit, uint32_t k)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < u->n; i++)
        count += bit != 0 ? (u->has[i] & bit) != 0 : u->a[i].measure_count > k;
    return column_read_numbers(&u->row, count, u->arena);
}

static void unpack_programs(struct unpacker *u)
{
    const uint64_t *first = read_numbers(u, HAS_FIRST, 0);
    const uint64_t *second = read_numbers(u, HAS_SECOND, 0);
    const uint64_t *opponent = read_numbers(u, HAS_OPPONENT, 0);
    for (uint32_t i = 0; i < u->n && !u->row.bad; i++) {
        struct elm_attempt *a = &u->a[i];
        a->parents[0] = u->has[i] & HAS_FIRST ? (int64_t)*first++ : -1;
        a->parents[1] = u->has[i] & HAS_SECOND ? (int64_t)*second++ : -1;
        a->opponent = u->has[i] & HAS_OPPONENT ? (int64_t)(*opponent++ + (uint64_t)a->parents[0])
                                               : -1;
    }
}

static void unpack_numbers(struct unpacker *u)
{
    const uint64_t *fitness = read_numbers(u, HAS_NUMBERS, 0);
    const uint64_t *steps = read_numbers(u, HAS_NUMBERS, 0);
    for (uint32_t i = 0; i < u->n && !u->row.bad; i++) {
        if (u->has[i] & HAS_NUMBERS) {
            u->a[i].fitness = bits_double(*fitness++);
            u->a[i].steps = *steps++;
        }
    }
    for (uint32_t k = 0; k < ELM_MEASURES_MAX; k++) {
        const uint64_t *measures = read_numbers(u, 0, k);
        for (uint32_t i = 0; i < u->n && !u->row.bad; i++) {
            if (u->a[i].measure_count > k)
                u->a[i].measures[k] = bits_double(*measures++);
        }
    }
}

static void unpack_rest(struct unpacker *u)
{
    struct elm_reader arrivals = column_read(&u->row, u->arena);
    struct elm_reader lens = column_read(&u->row, u->arena);
    struct elm_reader edits = column_read(&u->row, u->arena);
    uint32_t whys = 0;
    for (uint32_t i = 0; i < u->n; i++)
        whys += (u->has[i] & HAS_WHY) != 0;
    const char *const *why = column_read_strings(&u->row, whys, sizeof(u->a[0].why), u->arena);
    uint64_t arrival = 0;
    for (uint32_t i = 0; i < u->n && !u->row.bad; i++) {
        struct elm_attempt *a = &u->a[i];
        if (u->has[i] & HAS_ARRIVAL) {
            arrival += (uint64_t)elm_read_zigzag(&arrivals);
            a->arrival_us = (int64_t)arrival;
        }
        if (u->has[i] & HAS_EDIT) {
            a->edit.len = elm_read_varint(&lens);
            a->edit.ptr = elm_read_bytes(&edits, a->edit.len);
        }
        if (u->has[i] & HAS_WHY)
            strcpy(a->why, *why++);
    }
    u->row.bad |= !used_up(&arrivals) || !used_up(&lens) || !used_up(&edits);
}

bool pack_decode(struct elm_str bytes, int64_t first, uint32_t count, struct elm_arena *arena,
                 struct elm_attempt **out)
{
    if (count == 0 || count > PACK_ATTEMPTS_MAX)
        return false;
    struct unpacker u = {.row = elm_reader(bytes.ptr, bytes.len), .arena = arena, .n = count};
    u.a = elm_arena_alloc(arena, count * sizeof(u.a[0]));
    memset(u.a, 0, count * sizeof(u.a[0]));
    unpack_ids(&u, first);
    unpack_bytes(&u);
    if (!u.row.bad)
        unpack_programs(&u);
    if (!u.row.bad)
        unpack_numbers(&u);
    if (!u.row.bad)
        unpack_rest(&u);
    *out = u.a;
    return used_up(&u.row);
}
