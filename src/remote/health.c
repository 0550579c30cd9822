/* health: when a server that fails is left alone, and when it is tried again. */
#include "elm/remote.h"

enum elm_health_answer elm_health_ask(const struct elm_health *h, int64_t now_us)
{
    if (h->stopped)
        return ELM_HEALTH_STOPPED;
    if (h->open_until_us == 0)
        return ELM_HEALTH_READY;
    return h->trying || now_us < h->open_until_us ? ELM_HEALTH_RESTS : ELM_HEALTH_TRY;
}

void elm_health_good(struct elm_health *h)
{
    h->rounds = h->pauses = 0;
    h->open_until_us = 0;
}

void elm_health_bad(struct elm_health *h, int64_t sent_us, int64_t now_us, int64_t base_us)
{
    if (h->rounds > 0 && sent_us < h->failed_us + base_us)
        return;
    h->failed_us = now_us;
    h->rounds++;
    if (h->rounds < ELM_HEALTH_ROUNDS)
        return;
    uint32_t doublings = h->pauses < ELM_HEALTH_DOUBLINGS ? h->pauses : ELM_HEALTH_DOUBLINGS;
    h->open_until_us = now_us + (base_us * ELM_HEALTH_PAUSE << doublings);
    h->pauses++;
}

enum elm_route elm_health_choose(const struct elm_health *h, uint32_t count, const int64_t *ready_us,
                                 struct elm_rng rng, int64_t base_us, int64_t now_us,
                                 uint32_t *server, int64_t *when_us)
{
    double weights[ELM_ENDPOINTS_MAX] = {0}, sum = 0;
    int64_t soonest = INT64_MAX, spread = elm_rng_below(&rng, (uint32_t)base_us);
    ELM_ASSERT(count <= ELM_ENDPOINTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        enum elm_health_answer answer = elm_health_ask(&h[i], now_us);
        if (answer == ELM_HEALTH_STOPPED || answer == ELM_HEALTH_RESTS)
            continue;
        int64_t at = h[i].busy_until_us > 0 ? h[i].busy_until_us + spread : 0;
        at = at > ready_us[i] ? at : ready_us[i];
        if (at <= now_us)
            sum += weights[i] = h[i].weight;
        else if (at < soonest)
            soonest = at;
    }
    double draw = elm_rng_unit(&rng) * sum;
    for (uint32_t i = 0; i < count; i++) {
        if (weights[i] == 0)
            continue;
        *server = i;
        if (draw < weights[i])
            break;
        draw -= weights[i];
    }
    *when_us = soonest;
    if (sum > 0)
        return ELM_ROUTE_SEND;
    return soonest - now_us <= ELM_HEALTH_PATIENCE_US ? ELM_ROUTE_LATER : ELM_ROUTE_NONE;
}
