/*
 * judge: the contract between elm and a problem's judge.c.
 *
 * judge.c is trusted for scores, not for the machine: it is compiled once with gcc -O2 into a
 * static program of its own (src/sandbox/judge_main.c is the other half) and runs caged, in a
 * process that never holds a candidate. Candidates get the bytes `make` wrote and return bytes;
 * they never see wanted outputs, other sets, scores or descriptors.
 *
 * A judge defines exactly one symbol, `const struct elm_judge elm_judge`. Example:
 * problems/parity/judge.c. Only libc and libm; no file, no clock, no global mutable state:
 * everything lives in `state` (state_bytes, zeroed) and is the same for the same (set, seed).
 *
 * A judge with `next` plays in rounds: it holds a world (a training, a game, something that falls
 * over) and asks, reads the answers, moves the world and asks again. A case is a lane then: one
 * training, one seat of a game. All live lanes of a round are answered together. What io of
 * problem.yaml calls `state` belongs to the candidate: arrays that keep their values from one
 * answer of a lane to its next, zeros before the first, which no judge ever sees. Judge and
 * candidate talk without elm in between: a round costs 5 to 10 us besides what the two compute.
 * Example: problems/adam/judge.c; of a duel, problems/duel/judge.c.
 */
#ifndef ELM_JUDGE_H
#define ELM_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#define ELM_JUDGE_VERSION 2
#define ELM_MEASURES_MAX 4
#define ELM_CASES_MAX 1024          /* of one set */
#define ELM_ROUNDS_MAX 100000

/* shown: evidence that operators may use (>= 48 cases unless the domain is smaller);
 * scored: fitness and labels; audit: fresh, for final claims only, never for selection. */
enum elm_set { ELM_SET_SHOWN, ELM_SET_SCORED, ELM_SET_AUDIT, ELM_SETS };

/* What elm itself measured of one run over all n cases; never taken from the candidate. */
struct elm_cost {
    uint64_t steps;        /* VM steps over all cases; 0 when it did not run in the VM */
    uint64_t cpu_us;       /* CPU time outside the VM, measured by the parent; else 0 */
    uint32_t nodes;        /* size of the candidate's tree; 0 outside core C */
    uint32_t text_bytes;
    uint32_t operators;    /* elm_tree_operators of it: the gates of a straight-line program */
    uint32_t rounds;       /* that it answered; 0 without `next` */
};

struct elm_result {
    double fitness;                       /* larger is better; must be finite */
    double measures[ELM_MEASURES_MAX];    /* in the order of problem.yaml, those the judge names */
    uint8_t pass[ELM_CASES_MAX];          /* 1 where the case is right; 0 where wrong */
    int invalid;                          /* 1: outputs break a rule; then `why`, no fitness */
    char why[96];
};

struct elm_judge {
    uint32_t version;              /* ELM_JUDGE_VERSION */
    size_t in_bytes, out_bytes;    /* must equal the layout of problem.yaml's entry and io */
    size_t state_bytes;

    /* Writes up to max cases of in_bytes each and returns how many. Same (set, seed, max), same
     * bytes. The shown, scored and audit sets differ (where the domain is large enough). */
    int (*make)(void *state, enum elm_set set, uint64_t seed, int max, void *in);

    /* Rounds; NULL: each case is asked once. `world` (world_bytes, zeros) is one candidate's, made
     * afresh for each. Called with round 0 before anything is asked: `in` is as make wrote it and
     * every live[i] is 1; then after each round with 1, 2, ...: out[i] is the latest answer of lane
     * i, zeros before its first. Writes the next question of each lane to ask into `in` and says in
     * live[i], 1 or 0, whether to ask it; a lane may pause. Returns how many are live; 0: it is
     * over. After `rounds:` of problem.yaml it is over anyway. Answers come as they are, NaN
     * included: what is wrong with them is for the judge to say. It may end early, when what it has
     * seen says enough (cost->rounds tells).
     * With compare, a answers the even lanes and b the odd ones, each in a process of its own.
     * With next, score, compare and picture get the world as their `out` (compare as both), and
     * want and explain are not called. */
    size_t world_bytes;
    int (*next)(const void *state, void *world, int round, int n, const void *out, void *in,
                uint8_t *live);

    /* Scores the outputs of one candidate on the n cases of a set. NULL when compare is given. */
    void (*score)(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result);

    /* Comparison only: is b better than a? +1 yes, -1 a is better, 0 undecided. b's measures, pass
     * bits and invalid go to result_b (its fitness is ignored). NULL when score is given. */
    int (*compare)(const void *state, int n, const void *in,
                   const void *out_a, const struct elm_cost *cost_a,
                   const void *out_b, const struct elm_cost *cost_b,
                   struct elm_result *result_b);

    /* Writes the wanted outputs of n shown cases; want_mask has 1 for each byte of out that is
     * prescribed exactly. NULL when there is no exact answer (packings, walkers). Evidence for operators;
     * only ever called on the shown set. */
    void (*want)(const void *state, int n, const void *in, void *out, uint8_t *want_mask);

    /* One line on what is wrong with a shown case ("wanted 1, got 0"), for people and prompts.
     * Nullable. */
    void (*explain)(const void *state, const void *in_case, const void *out_case, char *text,
                    size_t text_bytes);

    /* An SVG document of a candidate's outputs; returns the bytes written, 0 when it can't.
     * Nullable. */
    size_t (*picture)(const void *state, int n, const void *in, const void *out, char *svg,
                      size_t svg_bytes);
};

extern const struct elm_judge elm_judge;

#endif
