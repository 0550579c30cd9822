/* ledger: budgets as hard stops. */
#include "elm/remote.h"

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

double elm_money(const struct elm_endpoint *prices, uint64_t prompt_tokens, uint64_t tokens)
{
    return ((double)prompt_tokens * prices->money_in + (double)tokens * prices->money_out) / 1e6;
}

struct elm_hold elm_ledger_worst(const struct elm_request *r, const struct elm_endpoint *prices)
{
    size_t bytes = r->prompt.len + (r->raw ? 0 : r->system.len);
    struct elm_hold h = {.prompt_tokens = elm_remote_tokens(bytes), .tokens = r->tokens_max};
    h.money = elm_money(prices, h.prompt_tokens, h.tokens);
    return h;
}

enum elm_ledger_answer elm_ledger_hold(struct elm_ledger *l, const struct elm_hold *worst)
{
    uint64_t tokens = sum(worst->prompt_tokens, worst->tokens), after = sum(l->tokens_spent, tokens);
    double money = l->money_spent + worst->money;
    /* what costs nothing goes on after the money is spent */
    bool buys = worst->money > 0 && l->money_budget > 0;
    if ((l->tokens_budget > 0 && after > l->tokens_budget) || (buys && money > l->money_budget))
        return ELM_LEDGER_SPENT;
    if ((l->tokens_budget > 0 && sum(after, l->tokens_held) > l->tokens_budget) ||
        (buys && money + l->money_held > l->money_budget))
        return ELM_LEDGER_LATER;
    l->tokens_held += tokens;
    l->money_held += worst->money;
    l->holds++;
    return ELM_LEDGER_FITS;
}

void elm_ledger_settle(struct elm_ledger *l, const struct elm_hold *worst,
                       const struct elm_hold *cost)
{
    ELM_ASSERT(l->holds > 0);
    l->holds--;
    l->tokens_held -= worst->prompt_tokens + worst->tokens;
    /* sums of fractions leave a rest behind */
    l->money_held = l->holds == 0 ? 0 : l->money_held - worst->money;
    l->tokens_spent = sum(l->tokens_spent, sum(cost->prompt_tokens, cost->tokens));
    l->money_spent += cost->money;
}
