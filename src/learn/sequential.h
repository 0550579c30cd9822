/*
 * sequential: is the mean of bounded differences above zero, looked at as often as one likes? Each
 * difference is bet on: eight gamblers who begin with 1 stake a fixed share of what they have on "above".
 * While the mean of what comes is at or below zero whatever came before, their mean fortune E is a
 * non-negative supermartingale, so the chance that it ever reaches 1/alpha is at most alpha: at any
 * number of looks, with any rule for when to stop (Ville 1939). Source: Waudby-Smith & Ramdas 2023,
 * the test by betting with a mixture of fixed bets in the place of an adaptive one.
 */
#ifndef ELM_LEARN_SEQUENTIAL_H
#define ELM_LEARN_SEQUENTIAL_H

#include "elm/base.h"

#define SEQUENTIAL_BETS 8
struct sequential {                /* all zero: before the first difference */
    double fortunes[SEQUENTIAL_BETS];    /* logarithms */
    uint32_t count;
};
/* The next difference, in -1..1. */
void sequential_add(struct sequential *s, double difference);
/* ln E */
double sequential_log_e(const struct sequential *s);

/* What test number `number` (from 1) of a series without end may spend of `alpha`: alpha / (number
 * (number + 1)), which sums to alpha. */
double sequential_alpha(double alpha, uint32_t number);

#endif
