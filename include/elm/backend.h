/*
 * backend: answers requests with a language model. Where the model lives is the backend's business:
 * in process (native), behind a server (openai), in llama.cpp (llama), in a file (scripted).
 *
 * To add one: parts/backend/NAME.c, defining `const struct elm_backend_kind elm_backend_NAME`
 * (shortest example: scripted.c). Nothing else: `make` finds it, `elm list backend` shows it,
 * tests/contract/backend_test.c runs on it. Operators never see a backend: they write requests and
 * read replies (elm/operator.h), so that all requests of a batch are answered at once.
 */
#ifndef ELM_BACKEND_H
#define ELM_BACKEND_H

#include "elm/base.h"
#include "elm/grammar.h"

/* What is asked. The operator that writes it owns nothing of it: the search releases it.
 * Zero-initialised is empty. */
struct elm_request {
    uint64_t seed;              /* of the sampling; also names the request: a server that is asked
                                   twice is asked with the same one */
    struct elm_buf system;      /* chat: what the model is told to be; may be empty */
    struct elm_buf prompt;      /* chat: the user's words; raw: the text to be continued. Requests of
                                   one group should share as long a beginning as they can: it is
                                   computed once */
    bool raw;                   /* continue prompt as it is, no chat template around it */
    struct elm_grammar *grammar;    /* admits what may be written; NULL: anything. The request's own;
                                   backends without masks get none */
    uint32_t tokens_max;        /* of the answer, 1..8192 */
    float temperature;          /* 0: the likeliest token; 1: as the model was trained */
    const char *stop;           /* the answer ends before this string; NULL: none */
    uint64_t note[4];           /* the operator's own: parse sees what prompt wrote */
};

enum elm_reply_end {
    ELM_REPLY_FAILED,           /* no answer: `why` says the reason; nothing was charged beyond what
                                   the counts say */
    ELM_REPLY_DONE,             /* the model ended its answer, the grammar is complete, or `stop` */
    ELM_REPLY_LENGTH,           /* cut off at tokens_max or by a full context */
};

struct elm_reply {
    enum elm_reply_end end;
    struct elm_buf text;        /* without prompt and stop string; valid UTF-8 is not promised */
    struct elm_buf token_ids;   /* int32_t of each answer token; empty where the backend has none */
    struct elm_buf logprobs;    /* float of each answer token under the distribution it was drawn
                                   from (mask and temperature in it); empty where there are none */
    uint32_t prompt_tokens, tokens;    /* as counted or reported; 0 where unknown */
    double money;               /* in the currency of the listed prices; 0 where there are none */
    int64_t wall_us;            /* information only */
    char why[96];               /* ELM_REPLY_FAILED */
};
/* Free what they hold, the grammar too, and make them empty. */
void elm_request_release(struct elm_request *r);
void elm_reply_release(struct elm_reply *r);

/* A server for `openai`. */
struct elm_endpoint {
    const char *url;            /* up to and with "/v1" */
    const char *model;
    const char *key_file, *key_env;    /* where the key is; NULL: none. The key itself is read by the
                                   backend, sent to this url's host alone, and written nowhere */
    double weight;              /* share of the requests; > 0 */
    double money_in, money_out; /* per million tokens; 0: free */
};
#define ELM_ENDPOINTS_MAX 8
/* Reads "URL[,model=NAME][,key-env=VAR][,key-file=FILE][,weight=W][,in=MONEY][,out=MONEY]"; a comma or
 * a % in a value is written %2C or %25. Strings live in `arena`. ELM_USAGE says what is wrong, without
 * repeating what could be a key. Checks as the backend's open does, but reads no key. */
enum elm_status elm_endpoint_parse(const char *text, struct elm_endpoint *out,
                                   struct elm_arena *arena, struct elm_error *err);

struct elm_backend_def {
    const char *model;          /* a path, or the name of a pulled model; NULL where not needed */
    const char *models_path;    /* where pulled models are; NULL: the user's folder */
    const char *script;         /* `scripted`: the file of answers */
    const char *adapter;        /* a LoRA adapter in GGUF; NULL: none */
    struct elm_endpoint endpoints[ELM_ENDPOINTS_MAX];
    uint32_t endpoint_count;
    uint32_t lanes;             /* threads that will call complete at a time, >= 1 */
    uint32_t in_flight;         /* requests at servers at a time, all lanes together; 0: 16 an endpoint */
    uint32_t chunk_timeout_ms;  /* silence after which a server counts as stalled; 0: 60,000 */
    uint64_t tokens_budget;     /* prompt and answer tokens of the whole run; 0: none. A hard stop: */
    double money_budget;        /* what is in flight is counted at its listed worst before it is sent */
    uint64_t tokens_spent;      /* by earlier parts of the run, against the budgets */
    double money_spent;
};

struct elm_backend_totals {
    uint64_t requests, failed, retried;
    uint64_t prompt_tokens, tokens;    /* since open; what is in flight counts at its worst */
    double money;
    char note[160];             /* what a user should know now ("127.0.0.1: 401, key refused"); "" */
};

struct elm_backend_kind {
    const char *name, *summary;
    bool masks;                 /* honours request.grammar */
    bool local;                 /* computes here: its price is CPU time */
    bool small;                 /* its models are too small to write more than a span: other operators
                                   only where they are asked for by name */
    /* Fails: ELM_NOT_FOUND (no such model: how to get it), ELM_USAGE (a field of the definition),
     * ELM_CORRUPT (a broken model file), ELM_IO. */
    enum elm_status (*open)(const struct elm_backend_def *def, void **self, struct elm_error *err);
    /* Listed price of one answer of so many tokens, added to the operator's: a function of the
     * definition, the model's size and the length, never of a measurement. */
    double (*price_us)(const void *self, uint32_t tokens);
    void (*close)(void *self);  /* after the last complete has returned */
    /* Answers all requests; blocks. Called from `lanes` threads at once, each with a lane of its own,
     * 0 .. lanes-1. A request that can't be answered is a reply with FAILED; the call itself fails
     * only where going on makes no sense: ELM_STOPPED (cancelled), ELM_RANGE (a budget is spent;
     * replies then hold what was answered). Local backends: same request, same answer, whatever else
     * is in the call and however many lanes there are. */
    enum elm_status (*complete)(void *self, uint32_t lane, const struct elm_request *requests,
                                uint32_t count, struct elm_reply *replies, struct elm_error *err);
    /* Puts another LoRA adapter (a GGUF file; NULL: none) in the place of the one there is. Not while
     * requests are answered. NULL: the backend takes none. Fails: ELM_NOT_FOUND, ELM_IO, ELM_CORRUPT
     * (not an adapter of this model); the old one stays then. */
    enum elm_status (*adapt)(void *self, const char *path, struct elm_error *err);
    void (*cancel)(void *self); /* any thread: pending completes return soon with ELM_STOPPED; later
                                   ones are answered as ever */
    void (*totals)(void *self, struct elm_backend_totals *out);    /* any thread */
};
extern const struct elm_backend_kind *const elm_backend_kinds[];    /* by name, then NULL */
const struct elm_backend_kind *elm_backend_find(const char *name);

#endif
