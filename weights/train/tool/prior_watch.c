/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a prior is trained on (weights/train/README.md): prior_watch PRIOR STATES SAMPLES COUNT < JOBS
 *
 * A job is a line `file type rank extents kind bound effort`: raw samples, f32 or f64, and a bound that the file is compressed to (kind
 * as in enum fmc_bound_kind) at an effort, with the prior. For each coding (above effort 5, where many a transform is tried, those
 * of a trellis alone) of coefficients: to STATES the counters, weights and numbers of bits
 * seen of the model at its end (zeros for quantisers that it does not have); to SAMPLES about COUNT of the values, each as 54 i16: features, place, symbol. "-": none. To the
 * standard output a line with the bytes of the stream, the values coded and those sampled.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fmc/fmc.h>

#include "coef/prior.h"
#include "nn/model.h"

enum { MOST_STEPS = 30, N_MIX = (FMC_PRIOR_SETS - FMC_COEF_CLASSES) / 3 /* of a quantiser */ };

typedef struct watcher {
    FILE    *states, *samples;
    uint64_t n_values, n_sampled;
    uint32_t random, rate; /* of 2^16 */
    int      only_trellis;
} watcher;

static void see_value(void *user, const int16_t *feature, unsigned place, int32_t symbol)
{
    watcher *w = user;
    const int32_t most = MOST_STEPS, s = symbol > most ? most : symbol < -most ? -most : symbol;
    const int16_t tail[2] = { (int16_t)place, (int16_t)s };

    if (w->only_trellis && place < FMC_PRIOR_PLACES / 3)
        return;
    w->n_values++;
    w->random = w->random * 1664525u + 1013904223u;
    if (!w->samples || w->random >> 16 >= w->rate)
        return;
    fwrite(feature, sizeof *feature, FMC_PRIOR_FEATURES, w->samples);
    fwrite(tail, sizeof *tail, 2, w->samples);
    w->n_sampled++;
}

static void write_counters(void *user, const char *name, fmc_prob *p, size_t n)
{
    static const fmc_prob none[1 << 16];
    watcher *w = user;

    (void)name;
    fwrite(p ? p : none, sizeof *p, n, w->states);
}

static void see_block(void *user, const fmc_coef_model *m)
{
    static const fmc_mix_set none[2 * N_MIX];
    const int is_trellis = m->n_quantisers > 1;
    watcher *w = user;

    if (!w->states || (w->only_trellis && !is_trellis))
        return;
    fmc_coef_model_counters((fmc_coef_model *)(uintptr_t)m, write_counters, w);
    fwrite(is_trellis ? none : m->size[0].mix, sizeof *none, N_MIX, w->states);
    fwrite(is_trellis ? m->size[0].mix : none, sizeof *none, 2 * N_MIX, w->states);
    fwrite(m->sign_mix, sizeof *none, FMC_COEF_CLASSES, w->states);
}

static void *read_samples(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    void *data = malloc(size);

    if (!f || !data || fread(data, 1, size, f) != size) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(f);
    return data;
}

static int compress(fmc_ctx *ctx, const fmc_model *prior, watcher *w, double count, char *line)
{
    char path[1024], type[8];
    int used, rank, more;
    fmc_array a;
    fmc_params p;
    uint64_t dim[FMC_MAX_RANK] = { 0 }, n = 1;
    uint32_t kind, effort;
    size_t size, room;
    void *out;

    if (sscanf(line, "%1023s %7s %d%n", path, type, &rank, &used) != 3 || rank < 1 || rank > FMC_MAX_RANK)
        return 0;
    for (int i = 0; i < rank; i++) {
        if (sscanf(line + used, "%" SCNu64 "%n", &dim[i], &more) != 1)
            return 0;
        used += more;
        n *= dim[i];
    }
    (void)fmc_params_init(&p, sizeof p);
    if (sscanf(line + used, "%" SCNu32 " %lf %" SCNu32, &kind, &p.bound, &effort) != 3)
        return 0;
    p.bound_kind = kind;
    p.effort = effort;
    w->only_trellis = effort > 5;
    p.n_threads = 1;
    p.model = prior;
    w->rate = (uint32_t)(count / (double)n >= 1 ? 65536 : count / (double)n * 65536);
    w->n_values = w->n_sampled = 0;
    fmc_array_init(&a, strcmp(type, "f64") ? FMC_F32 : FMC_F64, (uint32_t)rank, dim, NULL);
    a.data = read_samples(path, n * (a.dtype == FMC_F64 ? 8 : 4));
    room = n * 8 + n / 8 + 65536;
    out = malloc(room);
    if (!out || fmc_compress(ctx, &a, &p, out, room, &size) != FMC_OK) {
        fprintf(stderr, "%s: %s\n", path, fmc_ctx_message(ctx));
        size = 0;
    }
    printf("%zu %" PRIu64 " %" PRIu64 "\n", size, w->n_values, w->n_sampled);
    fflush(stdout);
    free(out);
    free(a.data);
    return 1;
}

static FILE *create(const char *path)
{
    return strcmp(path, "-") ? fopen(path, "wb") : NULL;
}

int main(int argc, char **argv)
{
    fmc_ctx_options o = { .struct_size = sizeof o };
    watcher w = { .random = 1 };
    const fmc_prior_watch watch = { &w, see_value, see_block };
    fmc_model *prior = NULL;
    fmc_ctx *ctx = NULL;
    char line[4096];
    int is_good = argc == 5 && fmc_ctx_create(&o, &ctx) == FMC_OK;

    if (is_good && fmc_model_open_file(ctx, argv[1], &prior) != FMC_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], fmc_ctx_message(ctx));
        is_good = 0;
    }
    if (is_good) {
        w.states = create(argv[2]);
        w.samples = create(argv[3]);
        prior->prior.watch = &watch;
        while (is_good && fgets(line, sizeof line, stdin))
            is_good = compress(ctx, prior, &w, atof(argv[4]), line);
        if (w.states)
            fclose(w.states);
        if (w.samples)
            fclose(w.samples);
    }
    fmc_model_close(prior);
    fmc_ctx_destroy(ctx);
    return is_good ? 0 : 1;
}
