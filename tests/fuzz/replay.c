/*
 * replay: runs a fuzz target over its corpus and over mutations of it, without a fuzzer.
 *
 *     NAME_fuzz [MUTATIONS [SEED [FILE...]]]
 *
 * The corpus is tests/fuzz/corpus/NAME, under the working directory. An input that fails is left in
 * NAME_fuzz.input.
 */
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUTS_MAX 1000
#define INPUT_BYTES_MAX 65536

static char failed_path[300];
static struct elm_buf current;

/* The input that killed the target is all that matters now. */
static void keep_input(int signal_number)
{
    FILE *f = fopen(failed_path, "wb");
    if (f != NULL) {
        fwrite(current.ptr, 1, current.len, f);
        fclose(f);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void try_input(const void *bytes, size_t len)
{
    elm_buf_clear(&current);
    elm_buf_add(&current, bytes, len);
    alarm(30);
    LLVMFuzzerTestOneInput((const uint8_t *)current.ptr, current.len);
    alarm(0);
}

/* A few changes: bytes set, runs removed, repeated, or taken from another input. */
static void mutate(struct elm_rng *rng, struct elm_buf *b, struct elm_str other)
{
    for (uint32_t n = 1 + elm_rng_below(rng, 4); n > 0; n--) {
        struct elm_buf out = {0};
        uint32_t at = elm_rng_below(rng, (uint32_t)b->len + 1);
        uint32_t run = elm_rng_below(rng, 1 + elm_rng_below(rng, 64));
        uint32_t stop = at + run > b->len ? (uint32_t)b->len : at + run;
        uint32_t how = elm_rng_below(rng, 5);
        elm_buf_add(&out, b->ptr, at);
        if (how == 0)
            elm_buf_byte(&out, (uint8_t)elm_rng_below(rng, 256));
        else if (how == 1 && other.len > 0)
            elm_buf_add(&out, other.ptr, elm_rng_below(rng, (uint32_t)other.len));
        else if (how == 2)
            elm_buf_add(&out, b->ptr + at, stop - at);
        else if (how == 3 && at < b->len)
            elm_buf_byte(&out, (uint8_t)(b->ptr[at] ^ 1 << elm_rng_below(rng, 8)));
        uint32_t from = how == 0 || how == 3 ? at + (at < b->len) : how == 2 ? at : stop;
        elm_buf_add(&out, b->ptr + from, b->len - from);
        elm_buf_release(b);
        *b = out;
    }
    if (b->len > INPUT_BYTES_MAX)
        b->len = INPUT_BYTES_MAX;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static uint32_t read_corpus(const char *folder, struct elm_buf *inputs)
{
    struct dirent **entries;
    uint32_t count = 0;
    int n = scandir(folder, &entries, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char path[600];
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && count < INPUTS_MAX &&
            elm_file_read(path, INPUT_BYTES_MAX, &inputs[count], NULL) == ELM_OK)
            count++;
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return count;
}

int main(int argc, char **argv)
{
    static struct elm_buf inputs[INPUTS_MAX];
    const char *slash = strrchr(argv[0], '/'), *name = slash == NULL ? argv[0] : slash + 1;
    uint64_t mutations = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000;
    struct elm_rng rng = elm_rng(argc > 2 ? strtoull(argv[2], NULL, 0) : 1, 0xf022);
    char folder[300];
    uint32_t count = 0;
    snprintf(failed_path, sizeof(failed_path), "%s.input", name);
    snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%.*s", (int)(strlen(name) - 5), name);
    signal(SIGABRT, keep_input);
    signal(SIGALRM, keep_input);
    for (int i = 3; i < argc && count < INPUTS_MAX; i++)
        count += elm_file_read(argv[i], INPUT_BYTES_MAX, &inputs[count], NULL) == ELM_OK;
    if (argc <= 3)
        count = read_corpus(folder, inputs);
    for (uint32_t i = 0; i < count; i++)
        try_input(inputs[i].ptr, inputs[i].len);
    for (uint64_t i = 0; i < mutations && count > 0; i++) {
        struct elm_buf b = {0};
        struct elm_str from = elm_buf_str(&inputs[elm_rng_below(&rng, count)]);
        elm_buf_add_str(&b, from);
        mutate(&rng, &b, elm_buf_str(&inputs[elm_rng_below(&rng, count)]));
        try_input(b.ptr, b.len);
        elm_buf_release(&b);
    }
    for (uint32_t i = 0; i < count; i++)
        elm_buf_release(&inputs[i]);
    elm_buf_release(&current);
    printf("%s: %u inputs, %llu mutations\n", name, count, (unsigned long long)mutations);
    return count == 0;
}
