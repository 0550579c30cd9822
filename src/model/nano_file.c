/* nano_file: the weights as a GGUF, and the one that the library holds. */
#include "model/nano_net.h"

#include "elm/gguf.h"

#include <stdlib.h>
#include <string.h>

#define ARCHITECTURE "elm-tree"

extern const uint8_t elm_nano_bytes[], elm_nano_bytes_end[];

enum elm_status elm_nano_write(const struct elm_nano *n, const struct elm_nano_card *card,
                               const char *path, struct elm_error *err)
{
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    elm_gguf_put_string(w, "general.architecture", ELM_STR(ARCHITECTURE));
    elm_gguf_put_string(w, "general.name", ELM_STR("elm-nano"));
    elm_gguf_put_string(w, "general.license", ELM_STR("MIT"));
    elm_gguf_put_int(w, ARCHITECTURE ".embedding_length", n->config.width);
    elm_gguf_put_int(w, ARCHITECTURE ".block_count", n->config.layers);
    elm_gguf_put_int(w, ARCHITECTURE ".feed_forward_length", n->config.hidden);
    elm_gguf_put_int(w, ARCHITECTURE ".token_version", (int64_t)nano_version());
    if (card != NULL) {
        if (card->description != NULL)
            elm_gguf_put_string(w, "general.description", elm_str(card->description));
        elm_gguf_put_int(w, ARCHITECTURE ".training.samples", (int64_t)card->samples);
        elm_gguf_put_int(w, ARCHITECTURE ".training.steps", (int64_t)card->steps);
        elm_gguf_put_int(w, ARCHITECTURE ".training.seed", (int64_t)card->seed);
        elm_gguf_put_real(w, ARCHITECTURE ".training.loss", card->loss);
    }
    for (uint32_t k = 0; k < n->tensor_count; k++) {
        const struct elm_nano_tensor *t = &n->tensors[k];
        uint64_t dims[2] = {t->cols, t->rows};
        elm_gguf_put_tensor(w, t->name, ELM_GGUF_F32, t->rows > 1 ? 2 : 1, dims,
                            n->weights + t->at);
    }
    enum elm_status status = elm_gguf_write(w, path, err);
    elm_gguf_writer_free(w);
    return status;
}

static enum elm_status fill(const struct elm_gguf *g, struct elm_nano *n, struct elm_error *err)
{
    for (uint32_t k = 0; k < n->tensor_count; k++) {
        const struct elm_nano_tensor *t = &n->tensors[k];
        const struct elm_gguf_tensor *from = elm_gguf_tensor(g, t->name);
        if (from == NULL)
            return elm_fail(err, ELM_CORRUPT, "tensor '%s' is missing", t->name);
        if (from->dims[0] != t->cols || from->dims[1] != t->rows || from->dim_count > 2)
            return elm_fail(err, ELM_CORRUPT, "tensor '%s' is not %u x %u", t->name, t->rows,
                            t->cols);
        size_t row = elm_gguf_row_bytes(from->type, t->cols);
        for (uint32_t r = 0; r < t->rows; r++) {
            const uint8_t *bytes = (const uint8_t *)from->data + r * row;
            if (row == 0 || !elm_gguf_dequantize(from->type, bytes, t->cols,
                                                 n->weights + t->at + (size_t)r * t->cols))
                return elm_fail(err, ELM_OUTSIDE, "tensor '%s' is of a type that is not read",
                                t->name);
        }
    }
    for (size_t i = 0; i < n->size; i++) {
        if (!(n->weights[i] - n->weights[i] == 0))
            return elm_fail(err, ELM_CORRUPT, "a weight that is no number");
    }
    return ELM_OK;
}

static enum elm_status load(const struct elm_gguf *g, struct elm_nano **out, struct elm_error *err)
{
    struct elm_str architecture = {"", 0};
    int64_t width, layers, hidden, version;
    elm_gguf_string(g, "general.architecture", &architecture);
    if (!elm_str_equal(architecture, ELM_STR(ARCHITECTURE)))
        return elm_fail(err, ELM_OUTSIDE, "general.architecture is '%.*s', not '" ARCHITECTURE
                        "': no tree-edit model", (int)architecture.len, architecture.ptr);
    if (!elm_gguf_int(g, ARCHITECTURE ".embedding_length", &width) ||
        !elm_gguf_int(g, ARCHITECTURE ".block_count", &layers) ||
        !elm_gguf_int(g, ARCHITECTURE ".feed_forward_length", &hidden) ||
        !elm_gguf_int(g, ARCHITECTURE ".token_version", &version) || width < 0 || layers < 0 ||
        hidden < 0 || width > 4096 || layers > 4096 || hidden > 65536)
        return elm_fail(err, ELM_CORRUPT, "keys " ARCHITECTURE ".* are missing or out of range");
    if (version != (int64_t)nano_version())
        return elm_fail(err, ELM_OUTSIDE, "tokens of version %lld, this elm reads %lld: train "
                        "anew with elm train --trainer inversions", (long long)version,
                        (long long)nano_version());
    struct elm_nano_config config = {(uint32_t)width, (uint32_t)layers, (uint32_t)hidden};
    struct elm_nano *n;
    if (nano_layout(&config, &n, err) != ELM_OK)
        return err != NULL ? (err->status = ELM_CORRUPT) : ELM_CORRUPT;
    enum elm_status status = fill(g, n, err);
    if (status == ELM_OK)
        *out = n;
    else
        elm_nano_free(n);
    return status;
}

enum elm_status elm_nano_open(const char *path, struct elm_nano **out, struct elm_error *err)
{
    struct elm_gguf *g;
    ELM_TRY(elm_gguf_open(path, &g, err));
    enum elm_status status = load(g, out, err);
    elm_gguf_close(g);
    return status;
}

enum elm_status elm_nano_builtin(struct elm_nano **out, struct elm_error *err)
{
    size_t len = (size_t)(elm_nano_bytes_end - elm_nano_bytes);
    struct elm_gguf *g;
    if (len == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no model built in: models/elm-nano.gguf was not there "
                        "when elm was built; elm train --trainer inversions makes one");
    ELM_TRY(elm_gguf_open_bytes(elm_nano_bytes, len, &g, err));
    enum elm_status status = load(g, out, err);
    elm_gguf_close(g);
    return status;
}

enum elm_status elm_nano_find(const char *name, struct elm_nano **out, struct elm_error *err)
{
    return strcmp(name, "builtin") == 0 ? elm_nano_builtin(out, err) : elm_nano_open(name, out, err);
}
