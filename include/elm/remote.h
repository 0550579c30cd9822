/*
 * remote: what asking a server of language models takes, apart from the connection: the bytes of a
 * request, the reading of an answer, keys, the health of a server, budgets. Knows neither sockets
 * nor clocks (times are handed in), so that all of it can be tested by value.
 * parts/backend/openai.c makes the connections.
 */
#ifndef ELM_REMOTE_H
#define ELM_REMOTE_H

#include "elm/backend.h"

/* ---- where a server is ---- */
struct elm_place {
    char host[64];              /* "host:port", cut where it is longer; what messages call it */
    bool loopback;              /* localhost, 127.0.0.0/8 or ::1 */
};
/* Is it an endpoint that may be asked: http or https, no user, query or fragment in the url, a path,
 * sane numbers, one place for the key, and no key in clear over a network? ELM_USAGE says what to
 * write instead. */
enum elm_status elm_endpoint_check(const struct elm_endpoint *e, struct elm_place *place,
                                   struct elm_error *err);

/* ---- keys ---- */
/* Longer ones are refused. */
#define ELM_KEY_BYTES_MAX 4096
/* Appends the key of an endpoint, trimmed; nothing where it has none. `warning` (nullable, to be
 * given empty) is set when others may read the file. Wipe what held it with elm_key_wipe.
 * Fails: ELM_NOT_FOUND (no such file or variable), ELM_USAGE (no key in it), ELM_IO. */
enum elm_status elm_key_read(const struct elm_endpoint *e, struct elm_buf *key, char warning[160],
                             struct elm_error *err);
void elm_key_wipe(struct elm_buf *key);
/* Overwrites each occurrence of the key in foreign bytes with '*'. */
void elm_key_hide(const struct elm_buf *key, char *bytes, size_t len);

/* ---- the request ---- */
/* What some servers refuse to be told. */
enum elm_remote_part {
    ELM_REMOTE_SEED = 1,
    ELM_REMOTE_TEMPERATURE = 2,
    ELM_REMOTE_STOP = 4,
    ELM_REMOTE_USAGE = 8,       /* stream_options: counts are estimated then */
    ELM_REMOTE_LENGTH = 16,     /* wants max_completion_tokens for max_tokens */
};
/* Appends the JSON for chat/completions, or for completions when the request is raw. model: NULL:
 * left to the server. without: bits of enum elm_remote_part. Bytes that are not UTF-8 become
 * U+FFFD. */
void elm_remote_body(const struct elm_request *r, const char *model, uint32_t without,
                     struct elm_buf *out);
/* The parts that the body of a 400 or 422 complains of; 0: something else is wrong. */
uint32_t elm_remote_refused(struct elm_str error_body);
/* Appends what an error body says, as printable ASCII on one line; false when it is no JSON or says
 * nothing. *quota: it says that the account is empty. */
bool elm_remote_error(struct elm_str error_body, struct elm_buf *message, bool *quota);
/* Tokens of text that nobody counted: a quarter of its bytes, upwards. */
uint64_t elm_remote_tokens(size_t bytes);

/* ---- the answer ---- */
#define ELM_ANSWER_BYTES_MAX ((size_t)16 << 20)    /* as they come, events and all */
#define ELM_ANSWER_TOKEN_BYTES 128                 /* no token is longer */
/* Reads an answer as it comes: server-sent events, or one JSON document. The same bytes in other
 * pieces give the same. */
struct elm_answer {
    struct elm_buf text;        /* of the answer; without reasoning and stop string once ended */
    size_t written;             /* bytes of all that the model wrote, reasoning too */
    uint64_t prompt_tokens, tokens;    /* as the server counts; with `counted` */
    bool counted;
    bool complete;              /* came to its end as it should, whatever it says */
    bool good;                  /* once ended: `text` is an answer; else `why` says why not */
    bool length;                /* cut off at the tokens allowed */
    bool again;                 /* not good, but a second try may be: cut off, server overloaded */
    bool page;                  /* not from a model at all: a web page */
    bool error;                 /* the server says that it failed */
    char why[96];
    bool finished;              /* the model is done; only counts are still to come */
    /* its own */
    const struct elm_request *request;
    const struct elm_buf *key;
    uint8_t form;
    bool ended, spoke, chosen, content, reasoned, tool, filtered, after_cr;
    size_t bytes, text_max;
    struct elm_buf line, event;
};
/* key: nullable; never shown in text or why. Both are borrowed until the end. */
void elm_answer_init(struct elm_answer *a, const struct elm_request *r, const struct elm_buf *key);
/* False: nothing more is wanted, close the connection. */
bool elm_answer_feed(struct elm_answer *a, const void *bytes, size_t len);
/* The connection has ended: decides. */
void elm_answer_end(struct elm_answer *a);
void elm_answer_release(struct elm_answer *a);

/* ---- budgets ---- */
/* What is in flight counts at its worst, so that a budget is a hard stop. */
struct elm_hold {
    uint64_t prompt_tokens, tokens;
    double money;
};
struct elm_ledger {
    uint64_t tokens_budget, tokens_spent;    /* budget 0: none; spent: earlier parts of the run too */
    double money_budget, money_spent;
    uint64_t tokens_held;
    double money_held;
    uint32_t holds;
};
enum elm_ledger_answer { ELM_LEDGER_FITS, ELM_LEDGER_LATER, ELM_LEDGER_SPENT };
double elm_money(const struct elm_endpoint *prices, uint64_t prompt_tokens, uint64_t tokens);
/* What a request can cost at most, by the bytes of its prompt and the tokens that it allows. */
struct elm_hold elm_ledger_worst(const struct elm_request *r, const struct elm_endpoint *prices);
/* Holds that. LATER: it would fit if what is held for others were not used up. SPENT: it never will. */
enum elm_ledger_answer elm_ledger_hold(struct elm_ledger *l, const struct elm_hold *worst);
/* Takes back a hold and charges what it came to. */
void elm_ledger_settle(struct elm_ledger *l, const struct elm_hold *worst,
                       const struct elm_hold *cost);

/* ---- how a try ends ---- */
enum elm_verdict {
    ELM_VERDICT_ANSWERED,
    ELM_VERDICT_FAILED,         /* asking again would not help */
    ELM_VERDICT_AGAIN,
    ELM_VERDICT_STOP,           /* the server has to be left for good */
};
struct elm_ending {
    enum elm_verdict verdict;
    bool alive, trouble;        /* what it says of the server's health */
    bool busy;                  /* all requests should wait */
    uint32_t refused;           /* enum elm_remote_part to be left out, and asked again at once */
    int64_t wait_us;            /* as the server asks */
    char why[120];
};
/* A status that is no success. wait_s: its Retry-After. without: what the request left out. */
void elm_ending_status(struct elm_ending *e, long status, struct elm_str error_body, int64_t wait_s,
                       const struct elm_buf *key, uint32_t without);
/* A success: ends the answer. */
void elm_ending_answer(struct elm_ending *e, struct elm_answer *a);
/* The tokens to be charged for a request that was sent, money left out: as counted by the server; else
 * estimated; nothing for an error. Where nobody saw the end they are all of `worst`, because a budget
 * errs on the safe side; of a server that is free, what was seen. */
struct elm_hold elm_ending_cost(const struct elm_answer *a, long status, const struct elm_hold *worst);

/* ---- the health of a server ---- */
/* A circuit breaker. Failures count by round: one of a request that was sent less than the backoff's
 * base after the last round says nothing new, however many are in flight. After ELM_HEALTH_ROUNDS in a
 * row the server is left alone for a pause, then one request tries it; the pause doubles with each
 * try that fails. Only `weight` is to be set. */
#define ELM_HEALTH_ROUNDS 5
#define ELM_HEALTH_PAUSE 10     /* first pause, in units of the backoff's base */
#define ELM_HEALTH_DOUBLINGS 4
#define ELM_HEALTH_PATIENCE_US ((int64_t)60000000)    /* what asks for more is done without */
struct elm_health {
    double weight;              /* share of the requests */
    bool stopped;               /* for good */
    bool trying;                /* one request tries whether it is back */
    uint32_t rounds, pauses;
    int64_t failed_us, open_until_us;    /* open_until_us 0: not left alone */
    int64_t busy_until_us;      /* it asked to wait; 0: no */
};
enum elm_health_answer { ELM_HEALTH_READY, ELM_HEALTH_TRY, ELM_HEALTH_RESTS, ELM_HEALTH_STOPPED };
/* May it be asked? TRY: by this request alone; the caller sets `trying` until it has ended. */
enum elm_health_answer elm_health_ask(const struct elm_health *h, int64_t now_us);
void elm_health_good(struct elm_health *h);
void elm_health_bad(struct elm_health *h, int64_t sent_us, int64_t now_us, int64_t base_us);

enum elm_route { ELM_ROUTE_SEND, ELM_ROUTE_LATER, ELM_ROUTE_NONE };
/* Chooses one of `count` servers by weight, among those that may be asked now; the same one for the
 * same rng as long as all may. ready_us: the request's own times for each. LATER: *when_us is the
 * earliest time that one may be asked, within ELM_HEALTH_PATIENCE_US. base_us spreads the requests
 * that wait for the same server. */
enum elm_route elm_health_choose(const struct elm_health *h, uint32_t count, const int64_t *ready_us,
                                 struct elm_rng rng, int64_t base_us, int64_t now_us,
                                 uint32_t *server, int64_t *when_us);

#endif
