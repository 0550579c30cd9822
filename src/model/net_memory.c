/* net_memory: room for what a batch needs. */
#include "model/net.h"

#include <stdlib.h>

#define LOGITS_MOST ((size_t)16 << 20)    /* floats of logits at once */

struct carving {
    char *block;                 /* NULL: measured only */
    size_t used;
};

static float *carve(struct carving *c, size_t count)
{
    float *at = c->block == NULL ? NULL : (float *)(void *)(c->block + c->used);
    c->used += (count * sizeof(float) + 63) & ~(size_t)63;
    return at;
}

static void carve_layer(struct elm_net *n, struct carving *c, struct kept *k)
{
    const struct linear *l = n->layers[0].linear;
    const size_t tokens = n->tokens, width = tokens * n->config.width;
    k->x = carve(c, width);
    k->normed = carve(c, width);
    k->factor = carve(c, tokens);
    k->qkv = carve(c, tokens * l[LINEAR_QKV].out);
    k->attended = carve(c, tokens * l[LINEAR_OUTPUT].in);
    k->middle = carve(c, width);
    k->feed_normed = carve(c, width);
    k->feed_factor = carve(c, tokens);
    k->gate_up = carve(c, tokens * l[LINEAR_GATE_UP].out);
    k->hidden = carve(c, tokens * n->config.hidden);
    for (int i = 0; i < LINEARS; i++)
        k->low[i] = carve(c, tokens * l[i].parts * l[i].rank);
}

static void carve_back(struct elm_net *n, struct carving *c)
{
    const struct linear *l = n->layers[0].linear;
    const size_t tokens = n->tokens, width = tokens * n->config.width;
    n->dx = carve(c, width);
    n->dmiddle = carve(c, width);
    n->dnorm = carve(c, width);
    n->dfeed_norm = carve(c, width);
    n->dqkv = carve(c, tokens * l[LINEAR_QKV].out);
    n->dattended = carve(c, tokens * l[LINEAR_OUTPUT].in);
    n->dgate_up = carve(c, tokens * l[LINEAR_GATE_UP].out);
    n->dhidden = carve(c, tokens * n->config.hidden);
    for (int i = 0; i < LINEARS; i++)
        n->dlow[i] = carve(c, tokens * l[i].parts * l[i].rank);
}

static void carve_all(struct elm_net *n, struct carving *c)
{
    const size_t head = n->head_some;
    for (uint32_t i = 0; i < (n->keeping ? n->config.layers : 1); i++)
        carve_layer(n, c, &n->kept[i]);
    n->last = carve(c, (size_t)n->tokens * n->config.width);
    n->logits = carve(c, head * n->config.vocabulary);
    n->head_normed = carve(c, head * n->config.width);
    n->dnormed = carve(c, head * n->config.width);
    n->head_factor = carve(c, head);
    if (n->keeping)
        carve_back(n, c);
    for (uint32_t i = 0; i < team_size(n->team); i++) {
        n->threads[i].scores = carve(c, (size_t)ATTENTION_ROWS * n->longest);
        n->threads[i].dscores = carve(c, (size_t)ATTENTION_ROWS * n->longest);
    }
}

static enum elm_status check(const struct elm_net *n, const struct elm_net_sequence *s,
                             struct elm_error *err)
{
    if (s->count > n->config.context_max)
        return elm_fail(err, ELM_RANGE, "a sequence of %u tokens, the model's context has %u",
                        s->count, n->config.context_max);
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->tokens[i] >= n->config.vocabulary)
            return elm_fail(err, ELM_USAGE, "token %u, the model knows %u", s->tokens[i],
                            n->config.vocabulary);
    }
    return ELM_OK;
}

static void add_rows(struct elm_net *n, uint32_t index)
{
    const struct elm_net_sequence *s = &n->sequences[index];
    for (uint32_t i = 0; i < s->count; i++) {
        struct head_row r = {.at = n->starts[index] + i - 1, .target = s->tokens[i]};
        if (s->logprobs != NULL) {
            s->logprobs[i] = 0;
            r.logprob = &s->logprobs[i];
        }
        if (n->keeping && s->coefficients != NULL)
            r.coefficient = s->coefficients[i];
        if (n->keeping && s->kl != NULL) {
            r.kl = s->kl[i];
            r.reference = s->reference[i];
        }
        if (i > 0 && (!n->keeping || r.coefficient != 0 || r.kl != 0))
            n->head_rows[n->head_count++] = r;
    }
}

static void list_rows(struct elm_net *n)
{
    n->head_rows = elm_realloc(n->head_rows, (n->tokens + 1) * sizeof(*n->head_rows));
    n->head_count = 0;
    for (uint32_t i = 0; i < n->sequence_count; i++)
        add_rows(n, i);
    size_t some = LOGITS_MOST / n->config.vocabulary / HEAD_ROWS * HEAD_ROWS;
    some = some < HEAD_ROWS ? HEAD_ROWS : some;
    n->head_some = (uint32_t)(n->head_count < some ? n->head_count : some);
}

/* Whole sequences, few enough that threads share them out, and tokens enough that a layer's weights
 * are not laid out anew for every few. */
static void group(struct elm_net *n)
{
    n->groups = elm_realloc(n->groups, (n->sequence_count + 1) * sizeof(*n->groups));
    n->group_count = 0;
    for (uint32_t i = 0, end; i < n->sequence_count; i = end) {
        n->groups[n->group_count++] = i;
        for (end = i + 1; end < n->sequence_count &&
                          n->starts[end + 1] - n->starts[i] <= GROUP_TOKENS;)
            end++;
    }
    n->groups[n->group_count] = n->sequence_count;
}

enum elm_status net_prepare(struct elm_net *n, const struct elm_net_sequence *sequences,
                            uint32_t count, bool keeping, struct elm_error *err)
{
    uint64_t tokens = 0;
    n->sequences = sequences;
    n->sequence_count = count;
    n->keeping = keeping;
    n->longest = 16;
    n->starts = elm_realloc(n->starts, (count + 1) * sizeof(*n->starts));
    for (uint32_t i = 0; i < count; i++) {
        ELM_TRY(check(n, &sequences[i], err));
        n->starts[i] = (uint32_t)tokens;
        tokens += sequences[i].count;
        if (tokens > UINT32_MAX / 2)
            return elm_fail(err, ELM_RANGE, "more than 2^31 tokens in a batch");
        if (sequences[i].count > n->longest)
            n->longest = round_up(sequences[i].count, 16);
    }
    n->starts[count] = n->tokens = (uint32_t)tokens;
    group(n);
    list_rows(n);
    struct carving c = {0};
    carve_all(n, &c);
    if (c.used > n->memory_bytes) {
        free(n->memory);
        n->memory_bytes = 0;
        n->memory = aligned_alloc(64, c.used);
        if (n->memory == NULL)
            return elm_fail(err, ELM_RANGE, "no memory for %zu MiB of activations: fewer sequences "
                            "in a batch or a shorter context need less", c.used >> 20);
        n->memory_bytes = c.used;
    }
    c = (struct carving){.block = n->memory};
    carve_all(n, &c);
    return ELM_OK;
}

void net_release(struct elm_net *n)
{
    free(n->memory);
    free(n->starts);
    free(n->groups);
    free(n->head_rows);
    free(n->jobs);
}
