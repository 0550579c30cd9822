/*
 * library: the functions that compiled candidates may call, found by name. Nothing here makes a
 * system call but to end the process: the heap is memory set aside before the fork, printing is
 * counted and thrown away. The addresses are the same in compiler and runner: one program.
 */
#include "sandbox/cage_proc.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

static _Noreturn void end(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}

/* ---- heap: blocks of powers of two, freed blocks kept by size ---- */
#define BLOCK_MIN 32
#define CLASSES 40

struct block {
    uint64_t cls;
    struct block *next;
};

static struct {
    uint8_t *at, *end;
    struct block *free[CLASSES];
} heap;

void library_heap(void *memory, size_t bytes)
{
    heap.at = memory;
    heap.end = heap.at + bytes;
}

static void *heap_alloc(size_t bytes)
{
    uint32_t cls = 0;
    while (cls < CLASSES && ((size_t)BLOCK_MIN << cls) - 16 < bytes)
        cls++;
    if (cls == CLASSES)
        end(RUN_NO_MEMORY);
    struct block *b = heap.free[cls];
    if (b != NULL) {
        heap.free[cls] = b->next;
        return (uint8_t *)b + 16;
    }
    size_t need = (size_t)BLOCK_MIN << cls;
    if (need > (size_t)(heap.end - heap.at)) {
        /* the last one may be as long as what is asked for */
        need = (bytes + 16 + 15) & ~(size_t)15;
        if (need > (size_t)(heap.end - heap.at))
            end(RUN_NO_MEMORY);
        cls = CLASSES;
    }
    b = (struct block *)(void *)heap.at;
    heap.at += need;
    b->cls = cls;
    return (uint8_t *)b + 16;
}

static void heap_free(void *memory)
{
    if (memory == NULL)
        return;
    struct block *b = (struct block *)(void *)((uint8_t *)memory - 16);
    if (b->cls >= CLASSES)
        return;
    b->next = heap.free[b->cls];
    heap.free[b->cls] = b;
}

static void *heap_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        end(RUN_NO_MEMORY);
    void *memory = heap_alloc(bytes);
    return memset(memory, 0, bytes);
}

static void *heap_realloc(void *old, size_t bytes)
{
    void *memory = heap_alloc(bytes);
    if (old != NULL) {
        struct block *b = (struct block *)(void *)((uint8_t *)old - 16);
        size_t had = b->cls < CLASSES ? ((size_t)BLOCK_MIN << b->cls) - 16
                                      : (size_t)(heap.at - (uint8_t *)old);
        memcpy(memory, old, had < bytes ? had : bytes);
        heap_free(old);
    }
    return memory;
}

/* ---- what libc would do with system calls ---- */
static _Noreturn void quit(int status)
{
    (void)status;
    end(RUN_EXITED);
}

static _Noreturn void give_up(void)
{
    end(RUN_ABORTED);
}

static int count_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    return len;
}

static int count_puts(const char *text)
{
    return (int)strlen(text) + 1;
}

static int count_putchar(int c)
{
    return (unsigned char)c;
}

static uint32_t random_state = 1;

static void seed_random(unsigned seed)
{
    random_state = seed;
}

static int draw(void)
{
    random_state = random_state * 1103515245u + 12345u;
    return (int)(random_state >> 1 & 0x7fffffff);
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

/* Heap sort: glibc's asks the system for memory. */
static void sort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    uint8_t *a = base;
    for (size_t start = count / 2, last = count; last > 1;) {
        if (start > 0)
            start--;
        else
            swap_bytes(a, a + --last * size, size);
        for (size_t root = start, kid; (kid = 2 * root + 1) < last; root = kid) {
            if (kid + 1 < last && compare(a + kid * size, a + (kid + 1) * size) < 0)
                kid++;
            if (compare(a + root * size, a + kid * size) >= 0)
                break;
            swap_bytes(a + root * size, a + kid * size, size);
        }
    }
}

/* ---- what the compiler itself calls ---- */
static unsigned long long fix_double(double x) { return (unsigned long long)x; }
static unsigned long long fix_float(float x) { return (unsigned long long)x; }
static unsigned long long fix_long(long double x) { return (unsigned long long)x; }
static double float_double(unsigned long long x) { return (double)x; }
static float float_float(unsigned long long x) { return (float)x; }
static long double float_long(unsigned long long x) { return (long double)x; }

typedef void any_function(void);
struct function {
    const char *name;
    any_function *address;
};

#define O(name, ours) {#name, (any_function *)ours}
#define F(name) O(name, name)
/* in order of name */
static const struct function functions[] = {
    O(__fixunsdfdi, fix_double), O(__fixunssfdi, fix_float), O(__fixunsxfdi, fix_long),
    O(__floatundidf, float_double), O(__floatundisf, float_float), O(__floatundixf, float_long),
    O(abort, give_up), F(abs), F(acos), F(acosh), F(asin), F(asinh), F(atan), F(atan2), F(atanh),
    F(atof), F(atoi), F(atol), F(bsearch), O(calloc, heap_calloc), F(cbrt), F(ceil), F(ceilf),
    F(copysign), F(cos), F(cosf), F(cosh), F(erf), F(erfc), O(exit, quit), F(exp), F(exp2),
    F(expf), F(expm1), F(fabs), F(fabsf), F(fdim), F(floor), F(floorf), F(fma), F(fmax), F(fmaxf),
    F(fmin), F(fminf), F(fmod), F(fmodf), O(free, heap_free), F(frexp), F(hypot), F(labs),
    F(ldexp), F(lgamma), F(llabs), F(llround), F(log), F(log10), F(log1p), F(log2), F(logf),
    F(lrint), F(lround), O(malloc, heap_alloc), F(memchr), F(memcmp), F(memcpy), F(memmove),
    F(memset), F(modf), F(nearbyint), F(pow), F(powf), O(printf, count_printf),
    O(putchar, count_putchar), O(puts, count_puts), O(qsort, sort), O(rand, draw),
    O(realloc, heap_realloc), F(remainder), F(rint), F(round), F(roundf), F(sin), F(sinf), F(sinh),
    F(snprintf), F(sqrt), F(sqrtf), O(srand, seed_random), F(strcat), F(strchr), F(strcmp),
    F(strcpy), F(strcspn), F(strlen), F(strncat), F(strncmp), F(strncpy), F(strpbrk), F(strrchr),
    F(strspn), F(strstr), F(strtod), F(strtol), F(strtoul), F(tan), F(tanf), F(tanh), F(tgamma),
    F(trunc), F(truncf),
};

/* Its index; beyond the last: none. */
static size_t find(const char *name)
{
    size_t lo = 0, hi = ELM_COUNT(functions);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = strcmp(name, functions[mid].name);
        if (order == 0)
            return mid;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return ELM_COUNT(functions);
}

void library_each(library_function *each, void *ctx)
{
    for (size_t i = 0; i < ELM_COUNT(functions); i++)
        each(ctx, functions[i].name, (void *)functions[i].address);
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Lengths of the names that begin with each character, as bits: most words of a program fail it. */
static const uint32_t *name_lengths(void)
{
    static uint32_t lengths[128];
    for (size_t i = 0; i < ELM_COUNT(functions); i++)
        lengths[(unsigned char)functions[i].name[0]] |= 1u << strlen(functions[i].name);
    return lengths;
}

void library_used(struct elm_str text, library_function *each, void *ctx)
{
    static const char *const by_compiler[] = {
        "__fixunsdfdi",  "__fixunssfdi",  "__fixunsxfdi", "__floatundidf", "__floatundisf",
        "__floatundixf", "memcpy", "memmove", "memset",
    };
    static const uint32_t *lengths;
    bool seen[ELM_COUNT(functions)] = {false};
    if (lengths == NULL)
        lengths = name_lengths();
    for (size_t i = 0; i < ELM_COUNT(by_compiler); i++)
        seen[find(by_compiler[i])] = true;
    for (const char *at = text.ptr, *end = at + text.len; at < end;) {
        const char *word = at;
        while (at < end && in_word(*at))
            at++;
        size_t len = (size_t)(at - word);
        if (len > 0 && len < 20 && (lengths[(unsigned char)word[0] & 127] >> len & 1) != 0) {
            char name[20];
            memcpy(name, word, len);
            name[len] = '\0';
            size_t index = find(name);
            if (index < ELM_COUNT(functions))
                seen[index] = true;
        }
        at += len == 0;
    }
    for (size_t i = 0; i < ELM_COUNT(functions); i++) {
        if (seen[i])
            each(ctx, functions[i].name, (void *)functions[i].address);
    }
}
