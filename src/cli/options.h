/*
 * options: one table of every option of every command. Parser, --help, configuration keys,
 * environment names, completion and docs/commands.md all come from it.
 *
 * A value is taken from, in this order: flag, environment (ELM_NAME), --set name=value,
 * configuration file (--config), default.
 */
#ifndef ELM_CLI_OPTIONS_H
#define ELM_CLI_OPTIONS_H

#include "elm/base.h"

enum option_id {
    OPT_FILE, OPT_SCORE, OPT_FOLDER, OPT_SEED,
    OPT_EVALUATIONS, OPT_MINUTES, OPT_TARGET,
    OPT_OPERATORS, OPT_ARCHIVE, OPT_SELECTOR, OPT_KEEP,
    OPT_MODEL, OPT_BACKEND, OPT_ADAPTER, OPT_ENDPOINT, OPT_TOKENS, OPT_MONEY, OPT_MODEL_SHARE,
    OPT_PROMPTS, OPT_SCRIPT,
    OPT_TRAINER, OPT_OUT, OPT_REFERENCE, OPT_OPTIMIZER, OPT_SCHEDULE, OPT_STEPS, OPT_RATE,
    OPT_WARMUP, OPT_CLIP, OPT_DECAY, OPT_BETA1, OPT_BETA2, OPT_EPSILON, OPT_BATCH, OPT_CONTEXT, OPT_LORA,
    OPT_LORA_ALPHA, OPT_BETA, OPT_LABELS, OPT_SHUFFLED, OPT_ADMITTED, OPT_INVERSIONS, OPT_WIDTH, OPT_LAYERS, OPT_VOCABULARY, OPT_THREADS,
    OPT_CHECKPOINT_SECONDS,
    OPT_ROUNDS, OPT_GATE, OPT_HELD_OUT, OPT_CONTROLS, OPT_NEW_PROBLEMS, OPT_TARGETS, OPT_QD,
    OPT_ARM, OPT_PROBLEMS, OPT_GENERATED, OPT_SEEDS, OPT_CPU_SECONDS, OPT_EVALUATION_MS, OPT_REPORT,
    OPT_WORKERS, OPT_LEVEL, OPT_UNSAFE, OPT_TCC,
    OPT_MINIMISE, OPT_TEXTS, OPT_FORMAT, OPT_OUTPUT, OPT_YES,
    OPT_COUNT, OPT_STREAM, OPT_CORRUPTIONS, OPT_FAMILY, OPT_HARDNESS,
    OPT_OPEN_ENDED, OPT_MARKDOWN, OPT_PROBLEMS_PATH, OPT_MODELS_PATH, OPT_PROGRESS, OPT_JSON, OPT_QUIET,
    OPT_CONFIG, OPT_SET, OPT_HELP,
    OPTIONS,
};

enum option_type {
    OPTION_FLAG,      /* alone, or =yes / =no */
    OPTION_COUNT,     /* whole number; 10k 2M 1e6 are understood */
    OPTION_REAL,
    OPTION_TEXT,
    OPTION_WORD,      /* one of a list */
    OPTION_WORDS,     /* several of a list, with commas */
    OPTION_LIST,      /* texts, given one by one; a line each */
};

enum {
    IN_RUN = 1, IN_BEST = 2, IN_SHOW = 4, IN_DIFF = 8, IN_EXPORT = 16, IN_REPLAY = 32,
    IN_NEW = 64, IN_PROBLEMS = 128, IN_RUNS = 256, IN_LIST = 512, IN_DOCTOR = 1024,
    IN_COMPLETION = 2048, IN_HELP = 4096, IN_MODELS = 8192, IN_GENERATE = 16384,
    IN_TRAIN = 32768, IN_COMPARE = 65536, IN_CYCLE = 131072, IN_COEVOLVE = 262144,
    IN_ALL = 524287,
};

struct option_info {
    const char *name;
    char letter;                       /* short form, 0: none */
    uint8_t type;                      /* enum option_type */
    bool key;                          /* may stand in a configuration file, --set, environment */
    bool none;                         /* OPTION_REAL: `none` is a value (NaN) */
    const char *metavar;
    double lo, hi;                     /* numbers: allowed range */
    const char *(*word)(size_t i);     /* OPTION_WORD(S): the i-th word, NULL after the last */
    const char *fallback;              /* what it is by default, in words */
    const char *help;
    uint32_t commands;                 /* IN_* */
};
extern const struct option_info option_table[OPTIONS];

enum origin { FROM_DEFAULT, FROM_FILE, FROM_SET, FROM_ENVIRONMENT, FROM_FLAG };

struct option_value {
    const char *text;      /* as it was written */
    double number;         /* of a COUNT or REAL */
    bool on;               /* of a FLAG */
    uint8_t origin;        /* enum origin */
};

struct command;
struct invocation {
    const struct command *command;
    int argc;              /* the words after `elm`, as they were given */
    char **argv;
    struct option_value values[OPTIONS];
    char **args;           /* what is no option; NULL-terminated */
    int arg_count;
    struct elm_arena arena;
};

/* Where a value stands, for messages: "--workers", "ELM_WORKERS", "f.yaml:3:1: workers". */
enum elm_status option_assign(struct invocation *v, enum option_id id, const char *text,
                              enum origin origin, const char *where, struct elm_error *err);
/* A key of a configuration file or --set. ELM_USAGE with the nearest name if there is none. */
enum elm_status option_find_key(const char *key, const char *where, enum option_id *out,
                                struct elm_error *err);
/* argv after the command's name. */
enum elm_status options_parse(struct invocation *v, int argc, char **argv, struct elm_error *err);
void invocation_release(struct invocation *v);

/* Reads a YAML file of key: value into v (config.c). */
enum elm_status config_read(struct invocation *v, const char *path, struct elm_error *err);

bool opt_given(const struct invocation *v, enum option_id id);
bool opt_on(const struct invocation *v, enum option_id id);
const char *opt_text(const struct invocation *v, enum option_id id);    /* NULL: not given */
double opt_real(const struct invocation *v, enum option_id id, double fallback);
uint64_t opt_count(const struct invocation *v, enum option_id id, uint64_t fallback);

/* "ELM_PROBLEMS_PATH" of an option. */
void option_environment(enum option_id id, char out[64]);
/* The words of an OPTION_WORD(S), then NULL. */
#define OPTION_WORDS_MAX 64
void option_words(enum option_id id, const char *out[OPTION_WORDS_MAX + 1]);
/* Appends the allowed values in words: "a whole number, 1 to 256", "all, good or stats". */
void option_allowed(enum option_id id, struct elm_buf *out);

#endif
