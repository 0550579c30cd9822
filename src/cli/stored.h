/* stored: runs on disk, as the commands that look at them see them. */
#ifndef ELM_CLI_STORED_H
#define ELM_CLI_STORED_H

#include "cli/options.h"
#include "elm/search.h"

#define RUNS_FOLDER "runs"

/* Does the folder hold a run? */
bool stored_is_run(const char *folder);
/* The folder of a run: a path, a name under runs/, or (NULL) the newest run there. Free it.
 * Fails: ELM_USAGE with the nearest names. */
enum elm_status stored_find(const char *name, char **folder, struct elm_error *err);
/* Calls `each` for every run in a folder of runs, newest first. ELM_NOT_FOUND: no such folder. */
enum elm_status stored_each(const char *folder_of_runs,
                            void (*each)(void *ctx, const char *folder), void *ctx,
                            struct elm_error *err);

/* What a run says of itself; all NULL when it never began. */
struct stored_about {
    char *problem, *variant, *problem_folder, *command, *seed, *operators, *archive, *selector,
        *level, *force_tcc, *noisy, *end;
};
enum elm_status stored_about(struct elm_store *store, struct stored_about *out,
                             struct elm_error *err);
void stored_about_release(struct stored_about *a);

/* ---- what one pass over all attempts tells ---- */
struct stored_step {
    int64_t id;
    uint64_t evaluation;       /* evaluated before and with it */
    double fitness;
    uint8_t operator_index;
};
struct stored_operator {
    char name[64];
    uint64_t attempts, evaluations, better, admitted;
};
struct stored_review {
    char *folder;
    struct stored_about about;
    uint64_t attempts, evaluations, ok, by_status[ELM_EVAL_STATUSES];
    int64_t admitted, file_bytes, packed_bytes;
    struct stored_operator operators[ELM_OPERATORS_MAX];
    uint32_t operator_count;
    struct stored_step *steps;     /* the seed and every new best, in order */
    uint32_t step_count;
    struct elm_archive_row *elites;
    uint32_t elite_count;
    double coverage;               /* of the last progress row; NaN: none */
    int64_t wall_us;               /* of all commands that worked on it */
    int64_t last_wall_us;
};
enum elm_status stored_review(const char *folder, struct stored_review *out,
                              struct elm_error *err);
void stored_review_release(struct stored_review *r);
/* The name of an attempt's operator: "seed" for 255. */
const char *stored_operator_name(const struct stored_review *r, uint8_t index);

/* ---- programs of a run ---- */
struct stored_program {
    struct elm_attempt attempt;    /* edit and text: none */
    struct elm_buf text;           /* empty when the run keeps none */
};
struct stored_programs {
    char *folder;
    struct elm_store *store;
    struct elm_problem *problem;   /* NULL when it can't be found; edits can't be read then */
    int64_t best_id;               /* -1 before there is one */
    int64_t tree_id;               /* parent last parsed, so that siblings don't parse it again */
    struct elm_tree tree;
};
/* Opens for reading. `problems_path` as in elm_problem_load. */
enum elm_status stored_programs_open(const char *folder, const char *problems_path,
                                     struct stored_programs *out, struct elm_error *err);
void stored_programs_close(struct stored_programs *p);
/* "120", "best", "seed" to an id. Fails: ELM_USAGE. */
enum elm_status stored_program_id(const struct stored_programs *p, const char *word, int64_t *id,
                                  struct elm_error *err);
/* Any attempt, its text made again from parent and edit if need be. ELM_NOT_FOUND: no such id. */
enum elm_status stored_program_get(struct stored_programs *p, int64_t id,
                                   struct stored_program *out, struct elm_error *err);
/* Appends the text of an attempt just read (its edit still borrowed). Leaves it empty when
 * nothing was kept. */
enum elm_status stored_attempt_text(struct stored_programs *p, const struct elm_attempt *a,
                                    struct elm_buf *text, struct elm_error *err);
void stored_program_release(struct stored_program *p);
/* Name of measure i: the problem's, else "measure 1". */
void stored_measure_name(const struct stored_programs *p, uint32_t i, char out[32]);

#endif
