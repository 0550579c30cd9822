/* net: a model that learns, inside. */
#ifndef MODEL_NET_H
#define MODEL_NET_H

#include "elm/net.h"
#include "model/gemm.h"
#include "model/rows.h"
#include "model/team.h"
#include "model/transformer.h"

#define PARTS_MAX 3
#define ATTENTION_ROWS 128       /* queries whose scores are computed at once */
#define HEAD_ROWS 256            /* logits likewise */
#define GROUP_TOKENS 512         /* of short sequences that go through a layer together */

/* Linear layers that read the same input and write side by side. LoRA: y += u * up, where
 * u = scale * x * down; each part has `rank` columns of u of its own. */
struct linear {
    uint32_t in, out, parts;
    uint32_t first[PARTS_MAX], rows[PARTS_MAX];
    const float *weights;        /* [out][in] */
    float *gradient;             /* NULL: frozen */
    uint32_t rank;               /* 0: no LoRA */
    float scale;
    const float *down, *up;      /* [parts * rank][in], [out][rank] */
    float *down_gradient, *up_gradient;
};
enum { LINEAR_QKV, LINEAR_OUTPUT, LINEAR_GATE_UP, LINEAR_DOWN, LINEARS };

struct net_layer {
    const float *attention_norm, *feed_norm;
    float *attention_norm_gradient, *feed_norm_gradient;    /* NULL: frozen */
    struct linear linear[LINEARS];
};

/* What is kept of a layer for the way back; [tokens][...] each. */
struct kept {
    float *x, *normed, *factor;              /* the input; normed, and by what */
    float *qkv, *attended;                   /* queries and keys are turned */
    float *middle, *feed_normed, *feed_factor;
    float *gate_up, *hidden;
    float *low[LINEARS];                     /* u of LoRA */
};

/* A token whose logits are wanted. */
struct head_row {
    uint32_t at, target;         /* at: of all tokens, the one before it */
    float coefficient, kl, reference;
    float *logprob;              /* nullable */
    double loss;
};

struct net_thread {
    struct gemm_thread *gemm;
    float *scores, *dscores;     /* [ATTENTION_ROWS][longest] */
};

struct elm_net {
    struct elm_model *model;     /* shape, tokenizer, metadata */
    struct elm_model_config config;
    enum elm_precision precision;
    const struct rows *rows;
    struct team *team;
    struct net_thread *threads;
    struct elm_arena names;
    struct elm_parameter *all, *learn;       /* of the model; those that learn */
    uint32_t all_count, learn_count;
    float *weights, *gradients, *lora;
    uint32_t lora_rank;
    float lora_alpha;
    struct net_layer *layers;
    struct elm_parameter *embedding, *last_norm, *head;    /* in `all`; gradient NULL: frozen */

    /* one batch */
    const struct elm_net_sequence *sequences;
    uint32_t *starts;            /* [sequences + 1]: tokens before each */
    uint32_t sequence_count, tokens, longest;
    uint32_t *groups;            /* [group_count + 1]: the first sequence of each */
    uint32_t group_count;
    bool keeping;                /* for a gradient */
    struct kept *kept;           /* [layers], or one that all share */
    float *last;                 /* [tokens][width]: what the last layer gives */
    struct head_row *head_rows;
    uint32_t head_count, head_from, head_some;    /* head_some from head_from on are under way */
    float *logits, *head_normed, *head_factor, *dnormed;
    float *dx, *dmiddle, *dnorm, *dfeed_norm, *dqkv, *dattended, *dgate_up, *dhidden;
    float *dlow[LINEARS];
    uint32_t layer;              /* on its way back */
    struct job *jobs;
    uint32_t job_count, job_room;
    char *memory;
    size_t memory_bytes;
};

/* ---- net_memory.c ---- */
/* Room for a batch; sets starts, tokens, longest. Fails: as elm_net_logprobs. */
enum elm_status net_prepare(struct elm_net *n, const struct elm_net_sequence *sequences,
                            uint32_t count, bool keeping, struct elm_error *err);
void net_release(struct elm_net *n);

/* ---- net_forward.c ---- */
void net_multiply(struct elm_net *n, uint32_t thread, const struct gemm *g);
void net_forward(struct elm_net *n);
static inline struct kept *net_kept(const struct elm_net *n, uint32_t layer)
{
    return &n->kept[n->keeping ? layer : 0];
}

static inline uint32_t net_group_tokens(const struct elm_net *n, uint32_t group)
{
    return n->starts[n->groups[group + 1]] - n->starts[n->groups[group]];
}

/* ---- net_attention.c ---- */
void net_attention(struct elm_net *n, uint32_t thread, const float *qkv, uint32_t count,
                   float *attended);
void net_attention_back(struct elm_net *n, uint32_t thread, const float *qkv,
                        const float *dattended, uint32_t count, float *dqkv);

/* ---- net_head.c ---- */
/* Log-probabilities and losses of the rows in head_rows; where n->keeping their gradient to dx, the
 * head and the last norm. */
void net_head(struct elm_net *n);

/* ---- net_backward.c ---- */
void net_backward(struct elm_net *n);

#endif
