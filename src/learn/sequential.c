/* sequential: a test by betting. */
#include "learn/sequential.h"

#include <math.h>

/* Small bets win slowly on small effects, large ones fast on large effects. */
static const double bets[SEQUENTIAL_BETS] = {0.95, 0.75, 0.55, 0.4, 0.28, 0.18, 0.1, 0.05};

void sequential_add(struct sequential *s, double difference)
{
    ELM_ASSERT(difference >= -1 && difference <= 1);
    for (int b = 0; b < SEQUENTIAL_BETS; b++)
        s->fortunes[b] += log1p(bets[b] * difference);
    s->count++;
}

double sequential_log_e(const struct sequential *s)
{
    double most = -HUGE_VAL, sum = 0;
    for (int b = 0; b < SEQUENTIAL_BETS; b++)
        most = fmax(most, s->fortunes[b]);
    for (int b = 0; b < SEQUENTIAL_BETS; b++)
        sum += exp(s->fortunes[b] - most);
    return most + log(sum / SEQUENTIAL_BETS);
}

double sequential_alpha(double alpha, uint32_t number)
{
    return alpha / number / (number + 1.0);
}
