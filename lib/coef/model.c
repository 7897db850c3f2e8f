/* SPDX-License-Identifier: Apache-2.0 */
#include "coef/model.h"

#include <string.h>

#include "coef/prior.h"
#include "core/status.h"

/* Symbols that a distribution of train counts for. */
enum { SYMBOL_START = 30 };

static unsigned popcount(unsigned v)
{
    unsigned n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

unsigned fmc_coef_class(const fmc_band *band)
{
    const unsigned high = popcount(band->high);

    if (band->is_low)
        return 0;
    if (high == 0)
        return 10;
    return 1 + (band->level > 2 ? 2 : band->level) * 3 + (high > 3 ? 3 : high) - 1;
}

const fmc_coef_weights *fmc_coef_class_weights(unsigned band_class)
{
    static const fmc_coef_weights by_class[FMC_COEF_CLASSES] = {
        { 46, 20, 26, 15, 15, 5, 3, 8 },
        { 55, 17, 23, 13, 16, 1, 1, 3 },
        { 72, 12, 21, 4, 10, 1, 1, 2 },
        { 75, 3, 22, 1, 9, 1, 1, 2 },
        { 58, 14, 19, 10, 18, 3, 0, 4 },
        { 64, 14, 19, 2, 13, 1, 1, 3 },
        { 58, 12, 18, 1, 14, 1, 1, 2 },
        { 52, 18, 18, 17, 21, 3, 2, 5 },
        { 60, 9, 14, 2, 18, 1, 3, 4 },
        { 52, 8, 11, 2, 16, 1, 3, 4 },
        { 35, 45, 18, 40, 14, 0, 0, 4 },
        { 46, 20, 26, 15, 15, 5, 3, 8 },
    };

    return &by_class[band_class];
}

/* Four steps an octave above 4: docs/format.md 8.3. */
static uint8_t log_class(uint32_t v)
{
    unsigned top = 2, c;

    if (v < 4)
        return (uint8_t)v;
    while (v >> (top + 1))
        top++;
    c = 4 + (top - 2) * 4 + ((v >> (top - 2)) & 3);
    return (uint8_t)(c < FMC_COEF_ENERGIES ? c : FMC_COEF_ENERGIES - 1);
}

static void set_probs(fmc_prob *p, size_t n, fmc_prob value)
{
    for (size_t i = 0; i < n; i++)
        p[i] = value;
}

static void init_energy(fmc_prob *p)
{
    const size_t lines = (size_t)FMC_COEF_CLASSES * FMC_COEF_ENERGIES;

    for (size_t i = 0; i < lines; i++) {
        p[i * FMC_COEF_DECISIONS] = 0x40000000u;
        set_probs(p + i * FMC_COEF_DECISIONS + 1, FMC_COEF_DECISIONS - 1, 0x60000000u);
    }
}

/* P(> 0) and P(> i + 1) / P(> i) at each energy, in 1/256: what the distributions of train fields come to. */
static void init_dist(fmc_symbol_dist *dist)
{
    static const uint8_t nonzero[FMC_COEF_ENERGIES] = {
        6, 16, 27, 41, 51, 61, 72, 82, 100, 115, 130, 142, 157, 170, 180, 187, 195, 203, 210, 216,
        221, 226, 231, 232, 236, 237, 240, 239, 241, 244, 244, 245, 246, 247, 249, 250, 250, 252, 252, 253,
    };
    static const uint8_t ratio[FMC_COEF_ENERGIES] = {
        36, 41, 43, 42, 47, 48, 56, 59, 69, 76, 87, 93, 107, 122, 133, 143, 154, 169, 182, 192,
        199, 211, 217, 192, 202, 212, 217, 192, 200, 211, 217, 192, 204, 213, 219, 196, 205, 213, 223, 220,
    };

    for (unsigned e = 0; e < FMC_COEF_ENERGIES; e++) {
        uint32_t above = FMC_SYMBOL_TOP / 256 * nonzero[e];
        fmc_symbol_dist d = { { 0 } };

        for (unsigned i = 0; i < FMC_SYMBOLS - 1; i++) {
            d.above[i] = (int16_t)above;
            above = above * ratio[e] >> 8;
        }
        for (unsigned c = 0; c < FMC_COEF_CLASSES; c++)
            dist[e * FMC_COEF_CLASSES + c] = d;
    }
}

static void init_mix(fmc_mix_set *set, size_t n, uint32_t n_inputs)
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n_inputs; j++)
            set[i].w[j] = (int32_t)(16384 * 12 / 10 / n_inputs);
}

/* Sizes of the arrays, of one quantiser where each has its own. */
enum {
    N_ENERGY = FMC_COEF_CLASSES * FMC_COEF_ENERGIES * FMC_COEF_DECISIONS,
    N_PAIR = FMC_COEF_PAIRS * FMC_COEF_SLOTS,
    N_MEANS = FMC_COEF_MEANS * FMC_COEF_ENERGIES / 2,
    N_MIX = FMC_COEF_CLASSES * FMC_COEF_DECISIONS * 4
};

static fmc_status allocate_sizes(const fmc_allocator *a, fmc_coef_model *m)
{
    const size_t n = m->n_quantisers;
    fmc_size_tables *t = m->size;
    fmc_status st;

    FMC_TRY(FMC_ALLOC(a, n * N_ENERGY, &t[0].energy));
    if (m->prior)
        FMC_TRY(FMC_ALLOC(a, n * FMC_COEF_LOGITS, &t[0].logit));
    FMC_TRY(FMC_ALLOC_ZERO(a, n * N_MIX, &t[0].mix));
    if (n > 1) {
        t[1].energy = t[0].energy + N_ENERGY;
        t[1].logit = m->prior ? t[0].logit + FMC_COEF_LOGITS : NULL;
        t[1].mix = t[0].mix + N_MIX;
    }
done:
    return st;
}

static fmc_status allocate_logs(const fmc_allocator *a, fmc_coef_model *m)
{
    fmc_status st;

    FMC_TRY(FMC_ALLOC(a, FMC_COEF_LOG_MAX, &m->number_log));
    FMC_TRY(FMC_ALLOC(a, FMC_COEF_LOG_MAX, &m->value_log));
    for (int32_t v = 0; v < FMC_COEF_LOG_MAX; v++) {
        m->number_log[v] = fmc_prior_log(v, 0);
        m->value_log[v] = fmc_prior_log(v, m->n_quantisers - 1);
    }
done:
    return st;
}

static fmc_status allocate(const fmc_allocator *a, fmc_coef_model *m)
{
    const int is_best = m->tier == FMC_COEF_BEST || m->prior;
    fmc_status st;

    m->n_pairs = m->tier == FMC_COEF_FAST ? 0 : is_best ? 5 : 2;
    m->n_inputs = 1 + m->n_pairs + is_best + 2 * (m->prior != NULL);
    FMC_TRY(allocate_sizes(a, m));
    for (uint32_t i = 0; i < m->n_pairs; i++)
        FMC_TRY(FMC_ALLOC_ZERO(a, N_PAIR, &m->pair[i]));
    if (is_best) {
        FMC_TRY(FMC_ALLOC_ZERO(a, FMC_COEF_SLOTS * N_MEANS, &m->mean));
        FMC_TRY(FMC_ALLOC(a, N_MEANS, &m->mean_sign));
    }
    if (m->tier <= FMC_COEF_AVERAGE)
        for (uint32_t i = 0; i <= m->n_pairs; i++) {
            const size_t n = i ? FMC_COEF_PAIRS : (size_t)FMC_COEF_CLASSES * FMC_COEF_ENERGIES;

            FMC_TRY(FMC_ALLOC(a, n, &m->dist[i]));
            FMC_TRY(FMC_ALLOC_ZERO(a, n, &m->n_seen[i]));
        }
    FMC_TRY(FMC_ALLOC(a, FMC_COEF_LOG_MAX, &m->log_class));
    if (m->prior)
        FMC_TRY(allocate_logs(a, m));
done:
    return st;
}

/* Arrays of counters in the order in which priors store them: common ones, those of plain quantisers, those of a trellis. */
enum { N_COMMON = 5, N_SIZES = 8, N_ARRAYS = N_COMMON + 2 * N_SIZES };

static const struct {
    const char *name;
    size_t      n;
} array[N_ARRAYS] = {
    { "mean_sign", N_MEANS },
    { "sign", FMC_COEF_SIGNS },
    { "segment", FMC_COEF_CLASSES * 4 },
    { "escape", FMC_COEF_ESCAPES },
    { "top", FMC_COEF_TOPS },
    { "energy", N_ENERGY },
    { "pair0", N_PAIR },
    { "pair1", N_PAIR },
    { "pair2", N_PAIR },
    { "pair3", N_PAIR },
    { "pair4", N_PAIR },
    { "mean", (size_t)FMC_COEF_SLOTS * N_MEANS },
    { "logit", FMC_COEF_LOGITS },
    { "trellis/energy", 2 * N_ENERGY },
    { "trellis/pair0", N_PAIR },
    { "trellis/pair1", N_PAIR },
    { "trellis/pair2", N_PAIR },
    { "trellis/pair3", N_PAIR },
    { "trellis/pair4", N_PAIR },
    { "trellis/mean", (size_t)FMC_COEF_SLOTS * N_MEANS },
    { "trellis/logit", 2 * FMC_COEF_LOGITS },
};

void fmc_coef_model_counters(fmc_coef_model *m, void (*show)(void *user, const char *name, fmc_prob *p, size_t n), void *user)
{
    fmc_prob *const common[N_COMMON] = { m->mean_sign, m->sign, m->segment, m->exp_golomb, m->top_bit };
    fmc_prob *const sizes[N_SIZES] = { m->size[0].energy, m->pair[0], m->pair[1], m->pair[2],
                                       m->pair[3], m->pair[4], m->mean, m->size[0].logit };
    const int is_trellis = m->n_quantisers > 1;

    for (int i = 0; i < N_ARRAYS; i++) {
        const int k = i - N_COMMON;

        show(user, array[i].name, k < 0 ? common[i] : (k >= N_SIZES) == is_trellis ? sizes[k % N_SIZES] : NULL, array[i].n);
    }
}

void fmc_coef_model_arrays(void (*show)(void *user, const char *name, fmc_prob *p, size_t n), void *user)
{
    for (int i = 0; i < N_ARRAYS; i++)
        show(user, array[i].name, NULL, array[i].n);
}

static void copy_start(void *user, const char *name, fmc_prob *p, size_t n)
{
    const fmc_prob **from = user;

    (void)name;
    if (p)
        memcpy(p, *from, n * sizeof *p);
    *from += n;
}

static void start_from_prior(fmc_coef_model *m)
{
    const fmc_prob *from = m->prior->start;
    const fmc_mix_set *mix = m->prior->mix;

    fmc_coef_model_counters(m, copy_start, &from);
    memcpy(m->size[0].mix, mix + (m->n_quantisers > 1 ? N_MIX : 0), m->n_quantisers * N_MIX * sizeof *mix);
    memcpy(m->sign_mix, mix + 3 * N_MIX, sizeof m->sign_mix);
}

fmc_status fmc_coef_model_create(const fmc_allocator *a, uint32_t tier, const fmc_prior *prior, fmc_coef_model **out)
{
    fmc_coef_model *m = NULL;
    fmc_status st;

    *out = NULL;
    FMC_TRY(FMC_ALLOC_ZERO(a, 1, &m));
    m->tier = fmc_coef_kind(tier);
    m->n_quantisers = tier & FMC_COEF_TRELLIS ? 2 : 1;
    m->prior = m->tier == FMC_COEF_PRIOR ? prior : NULL;
    FMC_TRY(allocate(a, m));
    for (uint32_t i = 0; i < m->n_quantisers; i++)
        init_energy(m->size[i].energy);
    if (m->dist[0]) {
        init_dist(m->dist[0]);
        memset(m->n_seen[0], SYMBOL_START, FMC_COEF_CLASSES * FMC_COEF_ENERGIES);
    }
    init_mix(m->size[0].mix, (size_t)m->n_quantisers * N_MIX, m->n_inputs);
    init_mix(m->sign_mix, FMC_COEF_CLASSES, 2);
    if (m->mean_sign)
        set_probs(m->mean_sign, N_MEANS, FMC_PROB_INIT);
    set_probs(m->sign, sizeof m->sign / sizeof *m->sign, FMC_PROB_INIT);
    set_probs(m->segment, sizeof m->segment / sizeof *m->segment, 0x20000000u);
    set_probs(m->exp_golomb, sizeof m->exp_golomb / sizeof *m->exp_golomb, FMC_PROB_INIT);
    set_probs(m->top_bit, sizeof m->top_bit / sizeof *m->top_bit, 0x78000000u);
    for (uint32_t v = 0; v < FMC_COEF_LOG_MAX; v++)
        m->log_class[v] = log_class(v);
    if (m->prior)
        start_from_prior(m);
    *out = m;
    m = NULL;
done:
    fmc_coef_model_destroy(a, m);
    return st;
}

void fmc_coef_model_destroy(const fmc_allocator *a, fmc_coef_model *m)
{
    if (!m)
        return;
    fmc_dealloc(a, m->size[0].energy);
    fmc_dealloc(a, m->size[0].logit);
    fmc_dealloc(a, m->size[0].mix);
    for (int i = 0; i < 5; i++)
        fmc_dealloc(a, m->pair[i]);
    fmc_dealloc(a, m->mean);
    fmc_dealloc(a, m->mean_sign);
    fmc_dealloc(a, m->number_log);
    fmc_dealloc(a, m->value_log);
    for (int i = 0; i < 3; i++) {
        fmc_dealloc(a, m->dist[i]);
        fmc_dealloc(a, m->n_seen[i]);
    }
    fmc_dealloc(a, m->log_class);
    fmc_dealloc(a, m);
}
