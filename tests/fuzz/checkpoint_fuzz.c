/* a checkpoint of any bytes, or a good one with bytes laid over it, as it is and with a checksum that
 * is right: refused and nothing changed, or the weights are those in the file. The first byte says
 * which; of good ones every three bytes are a place and a value, one left over cuts it. */
#include "fuzz.h"
#include "learn/train.h"
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>

#define WEIGHTS 20
#define HEAD_BYTES 32
#define STATES_AT 12             /* in the head */
#define FLOATS_MAX (8 * WEIGHTS)

struct rig {
    struct elm_train_def def;
    struct elm_trainer_kind kind;
    struct elm_parameter parameters[2];
    float weights[WEIGHTS], state[FLOATS_MAX], anchor_values[FLOATS_MAX];
    struct train train;
};

static void open_rig(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    r->def.schedule = "cosine";
    r->kind.name = "fuzz";
    r->parameters[0] = (struct elm_parameter){.name = "a", .rows = 4, .cols = 4, .matrix = true,
                                              .weights = r->weights};
    r->parameters[1] = (struct elm_parameter){.name = "b", .rows = 1, .cols = 4,
                                              .weights = r->weights + 16};
    r->train = (struct train){.def = &r->def, .kind = &r->kind,
                              .optimizer = elm_optimizer_find("adamw"),
                              .parameters = r->parameters, .count = 2, .floats = WEIGHTS,
                              .state = r->state, .anchor_values = r->anchor_values};
    ELM_ASSERT(r->train.optimizer != NULL);
    ELM_ASSERT(WEIGHTS * (1 + r->train.optimizer->slots) <= FLOATS_MAX);
    for (int i = 0; i < WEIGHTS; i++)
        r->weights[i] = (float)i / 8;
}

/* As the writer does it: piece by piece. */
static void seal(const struct rig *r, struct elm_buf *b)
{
    const size_t values = WEIGHTS * (1 + r->train.optimizer->slots) * sizeof(float);
    const size_t pieces[] = {HEAD_BYTES, sizeof(struct standing), values, sizeof(struct standing),
                             values};
    uint32_t states = 0;
    uint64_t hash = 0;
    size_t at = 0;
    if (b->len >= HEAD_BYTES)
        memcpy(&states, b->ptr + STATES_AT, sizeof(states));
    for (uint32_t i = 0; i < (states == 2 ? 5 : 3); i++) {
        if (b->len < at + pieces[i] + sizeof(hash))
            return;
        hash = elm_hash(b->ptr + at, pieces[i], hash);
        at += pieces[i];
    }
    memcpy(b->ptr + at, &hash, sizeof(hash));
}

static void read_it(const struct elm_buf *b, bool good)
{
    struct rig r, before;
    struct elm_error err = {0};
    struct memory_file f = memory_file_open(b->ptr, b->len);
    open_rig(&r);
    before = r;
    if (checkpoint_read(&r.train, f.path, &err) == ELM_OK) {
        const char *state = b->ptr + HEAD_BYTES;
        ELM_ASSERT(memcmp(&r.train.now, state, sizeof(struct standing)) == 0);
        ELM_ASSERT(memcmp(r.weights, state + sizeof(struct standing), sizeof(r.weights)) == 0);
    } else {
        ELM_ASSERT(!good && err.message[0] != '\0');
        ELM_ASSERT(memcmp(r.weights, before.weights, sizeof(r.weights)) == 0);
        ELM_ASSERT(memcmp(r.state, before.state, sizeof(r.state)) == 0);
        ELM_ASSERT(memcmp(&r.train.now, &before.train.now, sizeof(r.train.now)) == 0);
        ELM_ASSERT(memcmp(&r.train.anchor, &before.train.anchor, sizeof(r.train.anchor)) == 0);
    }
    memory_file_close(&f);
}

static void good_checkpoint(bool two_states, struct elm_buf *out)
{
    char folder[] = "/tmp/elm-checkpoint-fuzz-XXXXXX", path[64];
    struct rig r;
    ELM_ASSERT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/checkpoint", folder);
    open_rig(&r);
    r.train.now.step = r.train.now.loss_count = two_states ? 250 : 200;
    r.train.now.rate_factor = 1;
    r.train.anchor = r.train.now;
    r.train.anchor.step = 200;
    ELM_ASSERT(checkpoint_write(&r.train, path, NULL) == ELM_OK);
    ELM_ASSERT(elm_file_read(path, 1 << 20, out, NULL) == ELM_OK);
    unlink(path);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct elm_buf good[2];   /* the same for all inputs */
    struct elm_buf b = {0};
    struct rig r;
    if (size == 0)
        return 0;
    for (int i = 0; i < 2 && good[i].len == 0; i++)
        good_checkpoint(i == 1, &good[i]);
    if (data[0] % 4 < 2) {
        elm_buf_add_str(&b, elm_buf_str(&good[data[0] % 4]));
        read_it(&b, true);
        for (size_t i = 1; i + 3 <= size; i += 3)
            b.ptr[(data[i] | (size_t)data[i + 1] << 8) % b.len] = (char)data[i + 2];
        b.len -= data[0] % 4 == 0 && size % 3 == 2 ? data[size - 1] % b.len : 0;
    } else {
        elm_buf_add(&b, data + 1, size - 1);
    }
    read_it(&b, false);
    open_rig(&r);
    seal(&r, &b);
    read_it(&b, false);
    elm_buf_release(&b);
    return 0;
}
