/* SPDX-License-Identifier: Apache-2.0 */
#include "field.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "random.h"

static const char *const kind_names[FIELD_KINDS] = {
    "smooth", "noisy", "noise", "packed", "decimal", "constant", "zeros", "steps", "denormal", "huge", "offset", "spikes",
    "wide", "bits"
};
static const char *const dirt_names[DIRT_KINDS] = { "clean", "one NaN", "NaN block", "Inf", "1e20 fill", "outliers",
                                                    "all NaN" };

const char *field_kind_name(enum field_kind kind)
{
    return kind_names[kind];
}

const char *field_dirt_name(enum field_dirt dirt)
{
    return dirt_names[dirt];
}

double field_at(const field *f, size_t i)
{
    float small;
    double x;

    if (f->sample == sizeof small) {
        memcpy(&small, f->plain + i * sizeof small, sizeof small);
        return (double)small;
    }
    memcpy(&x, f->plain + i * sizeof x, sizeof x);
    return x;
}

void field_set(field *f, size_t i, double x)
{
    const float small = (float)(x > FLT_MAX && !isinf(x) ? FLT_MAX : x < -FLT_MAX && !isinf(x) ? -FLT_MAX : x);

    if (f->sample == sizeof small)
        memcpy(f->plain + i * sizeof small, &small, sizeof small);
    else
        memcpy(f->plain + i * sizeof x, &x, sizeof x);
}

/* A sum of a few waves at sample i, in about -2..2. */
typedef struct waves {
    double frequency[3][FMC_MAX_RANK], phase[3], height[3];
} waves;

static void make_waves(waves *w, uint64_t *seed, const fmc_array *a)
{
    for (int k = 0; k < 3; k++) {
        w->phase[k] = 6.28 * random_unit(seed);
        w->height[k] = random_unit(seed);
        for (uint32_t i = 0; i < FMC_MAX_RANK; i++)
            w->frequency[k][i] = i < a->rank ? 12.6 * random_unit(seed) * random_unit(seed) / (double)(a->dim[i] + 1) : 0;
    }
}

static double wave_at(const waves *w, const uint64_t *at, uint32_t rank)
{
    double sum = 0;

    for (int k = 0; k < 3; k++) {
        double angle = w->phase[k];

        for (uint32_t i = 0; i < rank; i++)
            angle += w->frequency[k][i] * (double)at[i];
        sum += w->height[k] * sin(angle);
    }
    return sum;
}

static void fill_bits(field *f, uint64_t *seed)
{
    for (size_t i = 0; i < f->count * f->sample; i++)
        f->plain[i] = (uint8_t)random_next(seed);
}

/* One number per field of some kinds: its step, level or size. */
static double pick_scale(uint64_t *seed, enum field_kind kind, size_t sample)
{
    const double top = sample == 4 ? FLT_MAX : DBL_MAX, low = sample == 4 ? 0x1p-149 : 0x1p-1074;

    switch (kind) {
    case FIELD_PACKED:
        return random_unit(seed) * pow(10, (double)random_below(seed, 6) - 4);
    case FIELD_DECIMAL:
        return pow(10, (double)random_below(seed, 4));
    case FIELD_DENORMAL:
        return low * (double)(1 + random_below(seed, 5000));
    case FIELD_HUGE:
        return top / 2;
    case FIELD_OFFSET:
        return pow(10, 2 + (double)random_below(seed, 9));
    default:
        return pow(10, (double)random_below(seed, 13) - 6);
    }
}

static double sample_of(uint64_t *seed, enum field_kind kind, double scale, double wave)
{
    switch (kind) {
    case FIELD_NOISY:
        return scale * (wave + 0.05 * random_normal(seed));
    case FIELD_NOISE:
        return scale * random_normal(seed);
    case FIELD_PACKED:
        return floor(wave * 300) * scale + 17 * scale;
    case FIELD_DECIMAL:
        return round(wave * 30 * scale) / scale;
    case FIELD_CONSTANT:
        return scale;
    case FIELD_ZEROS:
        return random_below(seed, 2) ? 0.0 : -0.0;
    case FIELD_STEPS:
        return scale * floor(wave * 2);
    case FIELD_OFFSET:
        return scale + wave;
    case FIELD_SPIKES:
        return random_below(seed, 20) ? 0.0 : scale * random_normal(seed);
    case FIELD_WIDE:
        return ldexp(wave, (int)random_below(seed, 280) - 140);
    default:
        return scale * wave;
    }
}

/* Samples [first, first + n) become x. */
static void fill_run(field *f, size_t first, size_t n, double x)
{
    for (size_t i = first; i < f->count && i < first + n; i++)
        field_set(f, i, x);
}

static void add_dirt(field *f, uint64_t *seed, enum field_dirt dirt)
{
    const size_t at = f->count ? random_below(seed, f->count) : 0, n = f->count;

    switch (dirt) {
    case DIRT_ONE_NAN:
        fill_run(f, at, 1, NAN);
        break;
    case DIRT_NAN_BLOCK:
        fill_run(f, at, n / 3 + 1, NAN);
        break;
    case DIRT_INF:
        fill_run(f, at, 1 + n / 50, random_below(seed, 2) ? INFINITY : -INFINITY);
        break;
    case DIRT_FILL_1E20:
        fill_run(f, at, n / 4 + 1, 1e20);
        break;
    case DIRT_OUTLIERS:
        for (int k = 0; k < 3; k++)
            fill_run(f, n ? random_below(seed, n) : 0, 1, random_normal(seed) * 1e30);
        break;
    case DIRT_ALL:
        fill_run(f, 0, n, NAN);
        break;
    default:
        break;
    }
}

static void next_index(const fmc_array *a, uint64_t *at)
{
    for (uint32_t i = a->rank; i-- > 0;) {
        if (++at[i] < a->dim[i])
            return;
        at[i] = 0;
    }
}

static void set_size(field *f)
{
    f->sample = f->array.dtype == FMC_F32 ? 4 : 8;
    f->count = 1;
    for (uint32_t i = 0; i < f->array.rank; i++)
        f->count *= f->array.dim[i];
    f->plain = calloc(f->count + 1, f->sample);
    if (!f->plain)
        abort();
}

void field_make(field *f, uint64_t *seed, enum field_kind kind, enum field_dirt dirt)
{
    uint64_t at[FMC_MAX_RANK] = { 0 };
    waves w;
    double scale;

    set_size(f);
    make_waves(&w, seed, &f->array);
    scale = pick_scale(seed, kind, f->sample);
    for (size_t i = 0; i < f->count; i++) {
        field_set(f, i, sample_of(seed, kind, scale, wave_at(&w, at, f->array.rank)));
        next_index(&f->array, at);
    }
    if (kind == FIELD_BITS)
        fill_bits(f, seed);
    add_dirt(f, seed, dirt);
}

/* Strides of a dense array whose axes lie in a random order, some reversed, some padded. */
static size_t choose_strides(fmc_array *a, uint64_t *seed, size_t sample, int is_strange, int64_t *first)
{
    uint32_t order[FMC_MAX_RANK];
    size_t step = sample;

    *first = 0;
    for (uint32_t i = 0; i < a->rank; i++)
        order[i] = a->rank - 1 - i;
    for (uint32_t i = 0; is_strange && i < a->rank; i++) {
        const uint32_t j = (uint32_t)random_below(seed, a->rank), t = order[i];

        order[i] = order[j];
        order[j] = t;
    }
    for (uint32_t i = 0; i < a->rank; i++) {
        const uint64_t n = a->dim[order[i]];
        int64_t stride = (int64_t)step;

        step *= n ? n : 1;
        if (is_strange && !random_below(seed, 3))
            step += random_below(seed, 3) * sample + random_below(seed, 2);
        if (is_strange && n && !random_below(seed, 3)) {
            *first += stride * (int64_t)(n - 1);
            stride = -stride;
        }
        a->stride[order[i]] = stride;
    }
    return step;
}

void field_lay_out(field *f, uint64_t *seed, int is_strange)
{
    int64_t first;
    size_t odd, size;

    if (!f->plain)
        set_size(f);
    odd = is_strange ? random_below(seed, 8) : 0;
    size = choose_strides(&f->array, seed, f->sample, is_strange, &first);
    f->memory_size = size + odd;
    f->memory = malloc(f->memory_size);
    if (!f->memory)
        abort();
    memset(f->memory, FIELD_PAD, f->memory_size);
    f->array.data = f->memory + odd + first;
}

/* Call the copy of every sample: plain to memory or back, or stamp PAD over it. */
enum move { SCATTER, GATHER, STAMP };

static void move_samples(field *f, enum move how)
{
    uint64_t at[FMC_MAX_RANK] = { 0 };

    for (size_t i = 0; i < f->count; i++) {
        uint8_t *there = f->array.data, *here = f->plain + i * f->sample;

        for (uint32_t a = 0; a < f->array.rank; a++)
            there += (int64_t)at[a] * f->array.stride[a];
        if (how == SCATTER)
            memcpy(there, here, f->sample);
        else if (how == GATHER)
            memcpy(here, there, f->sample);
        else
            memset(there, FIELD_PAD, f->sample);
        next_index(&f->array, at);
    }
}

void field_scatter(field *f)
{
    move_samples(f, SCATTER);
}

void field_gather(field *f)
{
    move_samples(f, GATHER);
}

int field_padding_is_intact(field *f)
{
    move_samples(f, STAMP);
    for (size_t i = 0; i < f->memory_size; i++)
        if (f->memory[i] != FIELD_PAD)
            return 0;
    return 1;
}

void field_free(field *f)
{
    free(f->memory);
    free(f->plain);
    f->memory = f->plain = NULL;
}
