/*
 * nano_search: whole searches whose only operator is the tree-edit model: children sampled, evaluated
 * and stored, a second of wall time, two workers. Only distinct children that were evaluated count.
 *
 *   nano_vm_per_s, _sort        in the caged virtual machine: parity (39 nodes), sort
 *   nano_cage_per_s             parity, each compiled by libtcc and run in a process of its own
 *   nano_vm_new_share, ...      of the attempts, those that were evaluated
 *
 *     nano_search [quick]
 */
#include "elm/elm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOP_MS 2                /* of a compiled candidate: one in twelve loops for ever */

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "nano_search: %s\n", err->message);
    exit(1);
}

static bool go_on(void *ctx, const struct elm_search_stats *stats)
{
    const int64_t *until_us = ctx;
    (void)stats;
    return elm_clock_us() < *until_us;
}

static void rate(struct elm_keeper *keeper, const char *problem, bool tcc, double seconds)
{
    struct elm_error err = {0};
    struct elm_search_def def = elm_default_search_def();
    struct elm_search_stats stats;
    struct elm_problem *p;
    struct elm_search *s;
    enum elm_search_end end;
    char folder[] = "/tmp/elm-bench-XXXXXX";
    if (mkdtemp(folder) == NULL)
        exit(1);
    check(elm_problem_load(problem, "problems", &p, &err), &err);
    p->cpu_ms = tcc ? LOOP_MS : p->cpu_ms;
    def.keeper = keeper;
    def.problem = p;
    def.folder = folder;
    def.operators = "nano";
    def.workers = 2;
    def.force_tcc = tcc;
    def.evaluations = UINT64_MAX;
    check(elm_search_open(&def, &s, &err), &err);
    int64_t from_us = elm_clock_us(), until_us = from_us + (int64_t)(seconds * 1e6);
    check(elm_search_run(s, go_on, &until_us, &end, &err), &err);
    double wall_s = (double)(elm_clock_us() - from_us) / 1e6;
    elm_search_stats(s, &stats);
    const char *how = tcc ? "cage" : "vm", *which = strcmp(problem, "parity") == 0 ? "" : "_sort";
    printf("nano_%s_per_s%s %.0f candidates/s\n", how, which, (double)stats.evaluations / wall_s);
    printf("nano_%s_new_share%s %.3f share\n", how, which,
           (double)stats.evaluations / (double)stats.attempts);
    check(elm_search_close(s, &err), &err);
    elm_problem_free(p);
    check(elm_store_delete(folder, &err), &err);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    struct elm_keeper *keeper;
    double seconds = argc > 1 && strcmp(argv[1], "quick") == 0 ? 1.5 : 5;
    check(elm_keeper_open(&keeper, &err), &err);
    rate(keeper, "parity", false, seconds);
    rate(keeper, "sort", false, seconds);
    rate(keeper, "parity", true, seconds);
    elm_keeper_close(keeper);
    return 0;
}
