/* SPDX-License-Identifier: Apache-2.0 */
/* Architecture `prior`: what a file of weights must hold (docs/weights-format.md 6). */
#include <stdio.h>

#include "core/status.h"
#include "nn/model.h"

enum { LAYOUT = 2, MAX_SEEN = 127, MAX_SETS_SEEN = 65535, MAX_SHIFT = 20, MAX_BIAS = 1 << 22, MAX_WEIGHT = 127, MAX_MIX = 1 << 20 };

static fmc_status refuse(fmc_model *m, const char *name)
{
    return fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "array %s: missing, of another type or shape, or out of range", name);
}

/* The array with that many numbers of that type, or NULL. */
static const fmc_weights_array *find(const fmc_model *m, const char *name, uint32_t type, size_t count)
{
    const fmc_weights_array *a = fmc_weights_find(&m->weights, name);

    return a && a->type == type && a->count == count ? a : NULL;
}

/* Counters of the model, one array after another. */
typedef struct counters {
    fmc_model *m;
    fmc_prob  *to;
    fmc_status st;
} counters;

static void read_counters(void *user, const char *name, fmc_prob *unused, size_t n)
{
    counters *c = user;
    char start[FMC_WEIGHTS_NAME + 1], seen[FMC_WEIGHTS_NAME + 1];
    const fmc_weights_array *p, *k;

    (void)unused;
    snprintf(start, sizeof start, "start/%s", name);
    snprintf(seen, sizeof seen, "seen/%s", name);
    p = find(c->m, start, FMC_WEIGHTS_U16, n);
    k = find(c->m, seen, FMC_WEIGHTS_U8, n);
    if (!p || !k)
        c->st = refuse(c->m, p ? seen : start);
    for (size_t i = 0; c->st == FMC_OK && i < n; i++) {
        if (k->data[i] > MAX_SEEN)
            c->st = refuse(c->m, seen);
        c->to[i] = (fmc_prob)fmc_weights_int(p, i) << 16 | k->data[i];
    }
    c->to += n;
}

static fmc_status read_mix(fmc_model *m)
{
    const size_t inputs = FMC_COEF_MAX_INPUTS;
    const fmc_weights_array *w = find(m, "mix/weight", FMC_WEIGHTS_I32, FMC_PRIOR_SETS * inputs);
    const fmc_weights_array *n = find(m, "mix/seen", FMC_WEIGHTS_U16, FMC_PRIOR_SETS);

    if (!w || !n)
        return refuse(m, w ? "mix/seen" : "mix/weight");
    for (size_t i = 0; i < FMC_PRIOR_SETS; i++) {
        m->prior.mix[i].n = (uint32_t)fmc_weights_int(n, i);
        for (size_t j = 0; j < inputs; j++) {
            const int32_t v = fmc_weights_int(w, i * inputs + j);

            if (v < -MAX_MIX || v > MAX_MIX)
                return refuse(m, "mix/weight");
            m->prior.mix[i].w[j] = v;
        }
    }
    return FMC_OK;
}

static fmc_status read_layer(fmc_model *m, unsigned i)
{
    fmc_prior_layer *l = &m->prior.layer[i];
    const size_t n_bias = (size_t)l->n_out * (i ? 1 : FMC_PRIOR_PLACES);
    char name[3][FMC_WEIGHTS_NAME + 1];
    const fmc_weights_array *w, *b, *s;

    snprintf(name[0], sizeof name[0], "layer%u/weight", i);
    snprintf(name[1], sizeof name[1], "layer%u/bias", i);
    snprintf(name[2], sizeof name[2], "layer%u/shift", i);
    w = find(m, name[0], FMC_WEIGHTS_I8, (size_t)l->n_in * l->n_out);
    b = find(m, name[1], FMC_WEIGHTS_I32, n_bias);
    s = find(m, name[2], FMC_WEIGHTS_U8, l->n_out);
    if (!w || !b || !s)
        return refuse(m, name[!w ? 0 : !b ? 1 : 2]);
    for (size_t o = 0; o < l->n_out; o++) {
        l->shift[o] = s->data[o];
        if (l->shift[o] > MAX_SHIFT)
            return refuse(m, name[2]);
        for (size_t k = 0; k < l->n_in; k++) {
            const int32_t v = fmc_weights_int(w, o * l->n_in + k);

            if (v < -MAX_WEIGHT)
                return refuse(m, name[0]);
            l->weight[(k / 2 * l->n_out + o) * 2 + k % 2] = (int16_t)v;
        }
    }
    for (size_t k = 0; k < n_bias; k++) {
        l->bias[k] = fmc_weights_int(b, k);
        if (l->bias[k] <= -MAX_BIAS || l->bias[k] >= MAX_BIAS)
            return refuse(m, name[1]);
    }
    return FMC_OK;
}

static int is_width(uint32_t n)
{
    return n >= 16 && n <= FMC_PRIOR_MAX_WIDTH && n % 16 == 0;
}

fmc_status fmc_model_read_prior(fmc_model *m, const uint32_t *word, size_t n_words)
{
    counters c = { .m = m, .st = FMC_OK };
    uint32_t rest = 0;
    fmc_status st;

    for (size_t i = 3; i < n_words; i++)
        rest |= word[i];
    if (word[0] != LAYOUT)
        return fmc_weights_refuse(&m->weights, FMC_ERR_UNSUPPORTED, "layout %u of priors is not known", word[0]);
    if (!is_width(word[1]) || !is_width(word[2]) || rest || m->weights.programs.size || m->weights.ops.size)
        return fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "section MODEL: widths, or programs in a prior");
    FMC_TRY(fmc_prior_alloc(&m->alloc, word[1], word[2], &m->prior));
    c.to = m->prior.start;
    fmc_coef_model_arrays(read_counters, &c);
    FMC_TRY(c.st);
    FMC_TRY(read_mix(m));
    for (unsigned i = 0; i < FMC_PRIOR_LAYERS; i++)
        FMC_TRY(read_layer(m, i));
done:
    return st;
}
