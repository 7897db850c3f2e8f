/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TESTS_TX_RANDOM_H
#define FMC_TESTS_TX_RANDOM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ops/kernels.h"
#include "transform/transform.h"

static inline uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* In [-1, 1). */
static inline double next_real(uint64_t *seed)
{
    return (double)next_random(seed) / 1073741824.0 - 1.0;
}

static inline fmc_exec plain_exec(uint32_t n_threads)
{
    return (fmc_exec){ .alloc = &fmc_system_allocator, .n_threads = n_threads };
}

static inline size_t plan_count(const fmc_tx_plan *plan)
{
    size_t n = 1;

    for (uint32_t a = 0; a < plan->rank; a++)
        n *= plan->dim[a];
    return n;
}

/* Any plan without K axes, of at most max_count samples. */
static inline fmc_tx_plan random_plan(uint64_t *seed, size_t max_count)
{
    static const uint8_t primes[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37 };
    fmc_tx_plan p;

    do {
        memset(&p, 0, sizeof p);
        p.rank = 1 + next_random(seed) % 5;
        for (uint32_t a = 0; a < p.rank; a++) {
            p.dim[a] = next_random(seed) % 3 ? 1 + next_random(seed) % 40 : primes[next_random(seed) % sizeof primes];
            p.kind[a] = (uint8_t)(next_random(seed) % 2 ? 1 : next_random(seed) % 5);
            if (p.kind[a] == FMC_TX_DYADIC || p.kind[a] == FMC_TX_PACKET) {
                p.levels[a] = (uint8_t)(next_random(seed) % 7);
                p.is_long[a] = next_random(seed) % 2;
            }
        }
    } while (plan_count(&p) > max_count || !fmc_tx_is_valid(&p));
    return p;
}

#endif
