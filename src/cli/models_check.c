/* models_check: what a model file holds, and what keeps elm from running it. */
#include "cli/models.h"

#include "cli/json.h"
#include "cli/text.h"

#include "elm/gguf.h"
#include "elm/tokenizer.h"

#include <stdio.h>
#include <string.h>

#define PROBLEMS_MAX 20    /* shown; what is wrong a hundred times is said once */
#define TYPES_MAX 64

struct check {
    const struct elm_gguf *gguf;
    struct elm_tokenizer *tokenizer;    /* NULL: none, or none that is read */
    struct elm_buf problems[PROBLEMS_MAX];
    size_t problem_count;               /* all of them */
    uint64_t parameters, types[TYPES_MAX];
    int64_t layers, width, heads, kv_heads, head_width, hidden, context;    /* 0: not said */
};

static void problem(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void problem(struct check *c, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (c->problem_count < PROBLEMS_MAX)
        elm_buf_printf(&c->problems[c->problem_count], "%s", text);
    c->problem_count++;
}

/* A size in the head: a whole number above 0. `fallback` 0: it must be there. */
static int64_t size_of(struct check *c, const char *key, int64_t fallback)
{
    int64_t n = fallback;
    bool there = elm_gguf_int(c->gguf, key, &n);
    if ((!there && fallback == 0) || n < 1 || n > UINT32_MAX) {
        problem(c, "key '%s' is missing or no number from 1 to %u", key, UINT32_MAX);
        return 0;
    }
    return n;
}

static void check_tensor(struct check *c, const char *name, int64_t dim0, int64_t dim1)
{
    const struct elm_gguf_tensor *t = elm_gguf_tensor(c->gguf, name);
    if (t == NULL) {
        problem(c, "tensor '%s' is missing", name);
    } else if (t->dims[0] != (uint64_t)dim0 || t->dims[1] != (uint64_t)dim1 || t->dims[2] != 1) {
        problem(c, "tensor '%s' is %llu x %llu, not %lld x %lld", name,
                (unsigned long long)t->dims[0], (unsigned long long)t->dims[1], (long long)dim0,
                (long long)dim1);
    }
}

static void check_layer(struct check *c, int64_t layer)
{
    int64_t q = c->heads * c->head_width, kv = c->kv_heads * c->head_width;
    const struct {
        const char *name;
        int64_t dim0, dim1;
    } tensors[] = {
        {"attn_norm", c->width, 1}, {"attn_q", c->width, q}, {"attn_k", c->width, kv},
        {"attn_v", c->width, kv}, {"attn_output", q, c->width}, {"ffn_norm", c->width, 1},
        {"ffn_gate", c->width, c->hidden}, {"ffn_up", c->width, c->hidden},
        {"ffn_down", c->hidden, c->width},
    };
    char name[64];
    for (size_t i = 0; i < ELM_COUNT(tensors); i++) {
        snprintf(name, sizeof(name), "blk.%lld.%s.weight", (long long)layer, tensors[i].name);
        check_tensor(c, name, tensors[i].dim0, tensors[i].dim1);
    }
}

static void check_shapes(struct check *c)
{
    size_t before = c->problem_count;
    c->layers = size_of(c, "llama.block_count", 0);
    c->width = size_of(c, "llama.embedding_length", 0);
    c->heads = size_of(c, "llama.attention.head_count", 0);
    c->kv_heads = size_of(c, "llama.attention.head_count_kv", c->heads == 0 ? 1 : c->heads);
    c->hidden = size_of(c, "llama.feed_forward_length", 0);
    c->context = size_of(c, "llama.context_length", 0);
    if (c->problem_count > before)
        return;
    c->head_width = size_of(c, "llama.attention.key_length", c->width / c->heads);
    if (c->head_width == 0)
        return;
    if (c->heads % c->kv_heads != 0) {
        problem(c, "%lld heads can't share %lld for keys and values", (long long)c->heads,
                (long long)c->kv_heads);
    }
    const struct elm_gguf_tensor *embedding = elm_gguf_tensor(c->gguf, "token_embd.weight");
    int64_t tokens = embedding == NULL ? 0 : (int64_t)embedding->dims[1];
    check_tensor(c, "token_embd.weight", c->width, tokens);
    check_tensor(c, "output_norm.weight", c->width, 1);
    if (elm_gguf_tensor(c->gguf, "output.weight") != NULL)
        check_tensor(c, "output.weight", c->width, tokens);
    /* more layers than tensors: the rest would only be missing again */
    for (int64_t i = 0; i < c->layers && c->problem_count < PROBLEMS_MAX; i++)
        check_layer(c, i);
    if (c->tokenizer != NULL && tokens != (int64_t)elm_tokenizer_count(c->tokenizer)) {
        problem(c, "the tokenizer has %u tokens, the embedding %lld",
                elm_tokenizer_count(c->tokenizer), (long long)tokens);
    }
}

static void check_tensors(struct check *c)
{
    float values[256];
    uint64_t unread[TYPES_MAX] = {0};
    for (uint64_t i = 0; i < elm_gguf_tensor_count(c->gguf); i++) {
        const struct elm_gguf_tensor *t = elm_gguf_tensor_at(c->gguf, i);
        uint64_t row = 1;
        while (elm_gguf_row_bytes(t->type, row) == 0)
            row *= 2;
        c->parameters += t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3];
        c->types[t->type]++;
        if (!elm_gguf_dequantize(t->type, t->data, row, values))
            unread[t->type]++;
    }
    for (uint32_t type = 0; type < TYPES_MAX; type++) {
        if (unread[type] > 0) {
            problem(c, "%llu tensors have type %s, which elm doesn't read",
                    (unsigned long long)unread[type], elm_gguf_type_name(type));
        }
    }
}

static void check_all(struct check *c, struct elm_str *architecture)
{
    struct elm_error err = {0};
    if (elm_tokenizer_new(c->gguf, &c->tokenizer, &err) != ELM_OK)
        problem(c, "%s", err.message);
    check_tensors(c);
    *architecture = ELM_STR("unknown");
    if (!elm_gguf_string(c->gguf, "general.architecture", architecture)) {
        problem(c, "key 'general.architecture' is missing");
    } else if (!elm_str_equal(*architecture, ELM_STR("llama"))) {
        problem(c, "architecture '%.*s' is not run here, only 'llama' is",
                (int)(architecture->len < 80 ? architecture->len : 80), architecture->ptr);
    } else {
        check_shapes(c);
    }
}

/* ---- what is said ---- */

static void add_types(const struct check *c, struct elm_buf *out)
{
    const char *between = ": ";
    for (uint32_t type = 0; type < TYPES_MAX; type++) {
        if (c->types[type] > 0) {
            elm_buf_printf(out, "%s%llu %s", between, (unsigned long long)c->types[type],
                           elm_gguf_type_name(type));
            between = ", ";
        }
    }
}

static void add_string(const struct check *c, const char *what, const char *key, struct elm_buf *out)
{
    struct elm_str s;
    if (elm_gguf_string(c->gguf, key, &s)) {
        elm_buf_printf(out, "  %-13s", what);
        text_safe(out, s);
        elm_buf_printf(out, "\n");
    }
}

static void add_tokenizer(const struct check *c, struct elm_buf *out)
{
    const struct elm_tokenizer *t = c->tokenizer;
    struct elm_str pre = ELM_STR("default");
    if (t == NULL)
        return;
    elm_gguf_string(c->gguf, "tokenizer.ggml.pre", &pre);
    elm_buf_printf(out, "  tokenizer    %s tokens, pre-tokenizer ",
                   text_count(elm_tokenizer_count(t)).s);
    text_safe(out, pre);
    if (elm_tokenizer_bos(t) >= 0)
        elm_buf_printf(out, ", begin %d", elm_tokenizer_bos(t));
    if (elm_tokenizer_eos(t) >= 0)
        elm_buf_printf(out, ", end %d", elm_tokenizer_eos(t));
    elm_buf_printf(out, "\n");
}

static void print_text(const struct check *c, const char *path, struct elm_str architecture)
{
    struct elm_buf out = {0};
    text_safe(&out, elm_str(path));
    elm_buf_printf(&out, "\n  architecture ");
    text_safe(&out, architecture);
    elm_buf_printf(&out, "\n");
    add_string(c, "name", "general.name", &out);
    add_string(c, "licence", "general.license", &out);
    if (c->head_width > 0) {
        elm_buf_printf(&out, "  shape        %lld layers, width %lld, %lld heads of %lld (%lld for "
                       "keys and values), hidden %lld, context %lld\n", (long long)c->layers,
                       (long long)c->width, (long long)c->heads, (long long)c->head_width,
                       (long long)c->kv_heads, (long long)c->hidden, (long long)c->context);
    }
    elm_buf_printf(&out, "  tensors      %s, %s parameters",
                   text_count(elm_gguf_tensor_count(c->gguf)).s, text_count(c->parameters).s);
    add_types(c, &out);
    elm_buf_printf(&out, "\n");
    add_tokenizer(c, &out);
    elm_buf_printf(&out, "  problems%s\n", c->problem_count == 0 ? "     none" : "");
    for (size_t i = 0; i < c->problem_count && i < PROBLEMS_MAX; i++) {
        elm_buf_printf(&out, "    ");
        text_safe(&out, elm_buf_str(&c->problems[i]));
        elm_buf_printf(&out, "\n");
    }
    if (c->problem_count > PROBLEMS_MAX)
        elm_buf_printf(&out, "    and more\n");
    text_print(stdout, &out);
    elm_buf_release(&out);
}

static void print_json(const struct check *c, const char *path, struct elm_str architecture)
{
    json_t *types = json_object(), *problems = json_array();
    for (uint32_t type = 0; type < TYPES_MAX; type++) {
        if (c->types[type] > 0)
            json_object_set_new(types, elm_gguf_type_name(type), json_integer((json_int_t)c->types[type]));
    }
    for (size_t i = 0; i < c->problem_count && i < PROBLEMS_MAX; i++)
        json_array_append_new(problems, json_text(elm_buf_str(&c->problems[i])));
    const struct elm_tokenizer *t = c->tokenizer;
    json_t *out = json_make("{sososIsIsososI}", "path", json_text(elm_str(path)), "architecture",
                            json_text(architecture), "tensors",
                            (json_int_t)elm_gguf_tensor_count(c->gguf), "parameters",
                            (json_int_t)c->parameters, "types", types, "problems", problems,
                            "tokens", (json_int_t)(t == NULL ? 0 : elm_tokenizer_count(t)));
    json_object_update_new(out, json_make(
        "{sIsIsIsIsIsIsI}", "layers", (json_int_t)c->layers, "width", (json_int_t)c->width, "heads",
        (json_int_t)c->heads, "kv_heads", (json_int_t)c->kv_heads, "head_width",
        (json_int_t)c->head_width, "hidden", (json_int_t)c->hidden, "context",
        (json_int_t)c->context));
    json_print(out, stdout, false);
}

enum elm_status models_check(const struct invocation *v, const char *name, size_t *problems,
                             struct elm_error *err)
{
    struct elm_buf path = {0};
    struct elm_gguf *gguf = NULL;
    enum elm_status status = elm_model_find(name, opt_text(v, OPT_MODELS_PATH), &path, err);
    if (status == ELM_OK)
        status = elm_gguf_open(path.ptr, &gguf, err);
    if (status == ELM_OK) {
        struct check c = {.gguf = gguf};
        struct elm_str architecture;
        check_all(&c, &architecture);
        if (opt_on(v, OPT_JSON))
            print_json(&c, path.ptr, architecture);
        else
            print_text(&c, path.ptr, architecture);
        *problems = c.problem_count;
        elm_tokenizer_free(c.tokenizer);
        for (size_t i = 0; i < PROBLEMS_MAX; i++)
            elm_buf_release(&c.problems[i]);
    }
    elm_gguf_close(gguf);
    elm_buf_release(&path);
    return status;
}
