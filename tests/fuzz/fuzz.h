/*
 * fuzz: what a fuzz target and its drivers share. A target is tests/fuzz/NAME_fuzz.c, about twenty
 * lines that hand arbitrary bytes to a parser and abort when it breaks a promise; its corpus is
 * tests/fuzz/corpus/NAME/. `make` finds both:
 *
 *     build/asan/tests/fuzz/NAME_fuzz           replays the corpus and mutations of it (replay.c)
 *     make B=fuzz CC=clang build/fuzz/tests/fuzz/NAME_fuzz; build/fuzz/tests/fuzz/NAME_fuzz DIR
 *                                               libFuzzer, which adds to DIR what it finds
 */
#ifndef ELM_TESTS_FUZZ_H
#define ELM_TESTS_FUZZ_H

#include "elm/base.h"

/* Returns 0 always; aborts on a broken promise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
