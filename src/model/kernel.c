/* kernel: which table this machine gets. */
#include "model/kernel.h"

static const char *const names[] = {"", "plain", "avx2", "avx512", "avx512-bf16", "amx"};

/* Fills from the plainest upwards, each over what stands there, as far as `last`. Returns the last
 * one that this machine has. */
static enum elm_kernel fill_up_to(enum elm_kernel last, struct kernel *k)
{
    enum elm_kernel got = ELM_KERNEL_PLAIN;
    kernel_plain_fill(k);
    if (last >= ELM_KERNEL_AVX2 && kernel_avx2_fill(k))
        got = ELM_KERNEL_AVX2;
    if (last >= ELM_KERNEL_AVX512 && got == ELM_KERNEL_AVX2 && kernel_avx512_fill(k))
        got = ELM_KERNEL_AVX512;
    if (last >= ELM_KERNEL_AVX512_BF16 && got == ELM_KERNEL_AVX512 && kernel_bf16_fill(k))
        got = ELM_KERNEL_AVX512_BF16;
    if (last >= ELM_KERNEL_AMX && got == ELM_KERNEL_AVX512_BF16 && kernel_amx_fill(k))
        got = ELM_KERNEL_AMX;
    return got;
}

/* Intel's products of bf16 without tiles are half as fast as those of f32: 50,000 against 34,000
 * tokens a second at 1M parameters and 32 rows (Sapphire Rapids). AMD's are twice as fast. */
static bool bf16_pays(void)
{
#if defined(__x86_64__)
    return !__builtin_cpu_is("intel");
#else
    return true;
#endif
}

enum elm_status kernel_choose(enum elm_kernel wanted, enum elm_precision precision,
                              struct kernel *out, struct elm_error *err)
{
    struct kernel k = {.narrow_right = precision == ELM_BF16}, fewer = k;
    ELM_ASSERT(wanted >= ELM_KERNEL_AUTO && wanted <= ELM_KERNEL_AMX);
    bool narrow_only = wanted == ELM_KERNEL_AVX512_BF16 || wanted == ELM_KERNEL_AMX;
    if (precision == ELM_F32 && narrow_only)
        return elm_fail(err, ELM_USAGE, "kernel '%s' has no f32 (plain, avx2 or avx512 have)",
                        names[wanted]);
    enum elm_kernel got = fill_up_to(wanted == ELM_KERNEL_AUTO ? ELM_KERNEL_AMX : wanted, &k);
    if (wanted != ELM_KERNEL_AUTO && got != wanted)
        return elm_fail(err, ELM_USAGE, "kernel '%s': this machine has none (it has '%s')",
                        names[wanted], names[got]);
    if (wanted == ELM_KERNEL_AUTO && got == ELM_KERNEL_AVX512_BF16 && !bf16_pays()) {
        fill_up_to(ELM_KERNEL_AVX512, &fewer);
        k = fewer;
    }
    *out = k;
    return ELM_OK;
}
