/* SPDX-License-Identifier: Apache-2.0 */
/* Files of weights; architecture `vae`: what a file of weights must hold (docs/weights-format.md 1 and 4). */
#include "nn/model.h"

#include <math.h>
#include <string.h>
#include "core/status.h"

enum { MODEL_SIZE = 128, PROGRAM_SIZE = 48, OP_SIZE = 96, MAX_PROGRAMS = 16, MAX_OPS = 4096, MAX_LEVELS = 64, MAX_CHANNELS = 4096,
       MAX_FRAC = 16, N_NUMBERS = 28, LATENT_FRAC = 4, MAX_MEAN = 1 << 17 };

static fmc_status refuse(fmc_model *m, const char *what)
{
    return fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "%s", what);
}

static fmc_status read_numbers(fmc_model *m)
{
    fmc_in in = m->weights.model;
    uint32_t word[N_NUMBERS], rest = 0;
    fmc_model_numbers *n = &m->n;

    if (in.size != MODEL_SIZE || !fmc_weights_read_name(&in, 16, m->architecture))
        return refuse(m, "section MODEL");
    for (int i = 0; i < N_NUMBERS; i++)
        word[i] = fmc_in_u32(&in);
    if (!strcmp(m->architecture, "prior"))
        return fmc_model_read_prior(m, word, N_NUMBERS);
    if (strcmp(m->architecture, "vae"))
        return fmc_weights_refuse(&m->weights, FMC_ERR_UNSUPPORTED, "architecture %s is not known", m->architecture);
    for (int i = 11; i < N_NUMBERS; i++)
        rest |= word[i];
    *n = (fmc_model_numbers){ word[0], word[1], word[2], { word[3], word[4], word[5] }, { 1, word[6], word[7] }, word[8], word[9] };
    if (n->levels < 1 || n->levels > MAX_LEVELS || n->latent < 1 || n->latent > MAX_CHANNELS || n->hyper < 1 ||
        n->hyper > MAX_CHANNELS)
        return refuse(m, "section MODEL: levels or channels");
    if (n->patch[0] != 4 || n->patch[1] != 16 || n->patch[2] != 16 || word[6] != 4 || word[7] != 4 ||
        n->latent_frac != LATENT_FRAC || n->output_frac > MAX_FRAC || word[10] != FMC_LATENT_TABLES || rest)
        return refuse(m, "section MODEL: grid, fractions or reserved words");
    return FMC_OK;
}

/* Program i of the section: its ops are read and checked. net->name is "" for a program that this version does not run. */
static fmc_status read_program(fmc_model *m, fmc_in *in, uint32_t *next_op, fmc_net *net)
{
    const int is_named = fmc_weights_read_name(in, 16, net->name);
    const uint32_t first = fmc_in_u32(in), count = fmc_in_u32(in);
    fmc_in ops = m->weights.ops;
    const uint32_t n_ops = (uint32_t)(ops.size / OP_SIZE);
    fmc_status st;

    net->n_outputs = fmc_in_u32(in);
    for (int k = 0; k < FMC_NET_OUTPUTS; k++)
        net->output[k] = fmc_in_u32(in);
    if (!is_named || fmc_in_u32(in) || first != *next_op || count < 1 || count > n_ops - first || net->n_outputs < 1 ||
        net->n_outputs > FMC_NET_OUTPUTS)
        return fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "program %s: place or number of ops", net->name);
    for (uint32_t k = 0; k < FMC_NET_OUTPUTS; k++)
        if (k < net->n_outputs ? net->output[k] >= count : net->output[k] != 0)
            return fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "program %s: outputs", net->name);
    *next_op = first + count;
    (void)fmc_in_bytes(&ops, (uint64_t)first * OP_SIZE);
    FMC_TRY(fmc_net_read(&m->weights, &ops, count, net));
    FMC_TRY(fmc_net_check(&m->weights, net, m->n.levels));
done:
    return st;
}

static fmc_net *program_named(fmc_model *m, const char *name)
{
    return !strcmp(name, "hyper")            ? &m->hyper
           : !strcmp(name, "synthesis")      ? &m->synthesis
           : !strcmp(name, "analysis")       ? &m->analysis
           : !strcmp(name, "hyper_analysis") ? &m->hyper_analysis
                                             : NULL;
}

static fmc_status read_programs(fmc_model *m)
{
    fmc_in in = m->weights.programs;
    const size_t n = in.size / PROGRAM_SIZE;
    uint32_t next_op = 0;
    fmc_net net = { 0 };
    fmc_status st = FMC_OK;

    if (in.size % PROGRAM_SIZE || n > MAX_PROGRAMS || m->weights.ops.size % OP_SIZE || m->weights.ops.size / OP_SIZE > MAX_OPS)
        return refuse(m, "size of PROGRAMS or OPS");
    for (size_t i = 0; i < n; i++) {
        fmc_net *target;

        FMC_TRY(read_program(m, &in, &next_op, &net));
        target = program_named(m, net.name);
        if (!target || target->n_ops)
            FMC_TRY(fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "program %s twice or unknown", net.name));
        *target = net;
        net = (fmc_net){ 0 };
    }
    if (next_op != m->weights.ops.size / OP_SIZE)
        FMC_TRY(refuse(m, "ops outside programs"));
done:
    fmc_net_fini(&net);
    return st;
}

/* A program's channels and grid at both ends; factors: sites of the output per `down` sites of the input. */
static fmc_status check_ends(fmc_model *m, const fmc_net *net, const char *name, int is_float, uint32_t in, uint32_t out,
                             uint32_t n_outputs, const uint32_t up[FMC_NET_AXES], const uint32_t down[FMC_NET_AXES])
{
    int is_good = net->n_ops > 0 && fmc_net_is_float(net->op[0].kind) == is_float && net->op[0].channels == in &&
                  net->n_outputs == n_outputs;

    for (uint32_t k = 0; is_good && k < n_outputs; k++) {
        const fmc_net_op *op = &net->op[net->output[k]];

        is_good = op->channels == out;
        for (int d = 0; d < FMC_NET_AXES; d++)
            is_good = is_good && op->num[d] == up[d] && op->den[d] == down[d];
    }
    return is_good ? FMC_OK : fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "program %s: missing, or its ends", name);
}

static fmc_status check_programs(fmc_model *m)
{
    static const uint32_t one[FMC_NET_AXES] = { 1, 1, 1 };
    const fmc_model_numbers *n = &m->n;
    const fmc_net_op *index;
    fmc_status st;

    FMC_TRY(check_ends(m, &m->hyper, "hyper", 0, n->hyper, n->latent, 2, n->hyper_patch, one));
    FMC_TRY(check_ends(m, &m->synthesis, "synthesis", 0, n->latent, 1, 1, n->patch, one));
    FMC_TRY(check_ends(m, &m->analysis, "analysis", 1, 1, n->latent, 1, one, n->patch));
    FMC_TRY(check_ends(m, &m->hyper_analysis, "hyper_analysis", 1, n->latent, n->hyper, 1, one, n->hyper_patch));
    index = &m->hyper.op[m->hyper.output[1]];
    if (index->lo < 0 || index->hi >= FMC_LATENT_TABLES)
        FMC_TRY(refuse(m, "program hyper: scale index outside 0..63"));
done:
    return st;
}

/* The array of that name, type and shape, or NULL after a refusal. */
static const fmc_weights_array *need_array(fmc_model *m, const char *name, uint32_t type, uint32_t rank, size_t d0, size_t d1)
{
    const fmc_weights_array *a = fmc_weights_find(&m->weights, name);

    if (a && a->type == type && a->rank == rank && a->dim[0] == d0 && (rank < 2 || a->dim[1] == d1))
        return a;
    (void)fmc_weights_refuse(&m->weights, FMC_ERR_BAD_MODEL, "array %s: missing, or of another type or shape", name);
    return NULL;
}

static fmc_status read_hyper_model(fmc_model *m)
{
    const uint32_t levels = m->n.levels, hyper = m->n.hyper;
    const fmc_weights_array *mean = need_array(m, "hyper/mean", FMC_WEIGHTS_I32, 2, levels, hyper);
    const fmc_weights_array *scale = need_array(m, "hyper/scale", FMC_WEIGHTS_U8, 2, levels, hyper);
    fmc_status st;

    FMC_TRY(mean && scale ? FMC_OK : FMC_ERR_BAD_MODEL);
    FMC_TRY(FMC_ALLOC(&m->alloc, mean->count, &m->hyper_mean));
    FMC_TRY(FMC_ALLOC(&m->alloc, scale->count, &m->hyper_scale));
    for (size_t i = 0; i < mean->count; i++) {
        m->hyper_mean[i] = fmc_weights_int(mean, i);
        m->hyper_scale[i] = scale->data[i];
        if (m->hyper_mean[i] < -MAX_MEAN || m->hyper_mean[i] > MAX_MEAN || m->hyper_scale[i] >= FMC_LATENT_TABLES)
            FMC_TRY(refuse(m, "hyper/mean or hyper/scale out of range"));
    }
done:
    return st;
}

static fmc_status read_gains(fmc_model *m, const char *name, uint32_t channels, float **out)
{
    const fmc_weights_array *gain = need_array(m, name, FMC_WEIGHTS_F32, 2, m->n.levels, channels);

    fmc_status st;

    FMC_TRY(gain ? FMC_OK : FMC_ERR_BAD_MODEL);
    FMC_TRY(FMC_ALLOC(&m->alloc, gain->count, out));
    for (size_t i = 0; i < gain->count; i++) {
        const float v = (*out)[i] = fmc_weights_float(gain, i);

        if (!(v > 0) || !isfinite(v))
            FMC_TRY(refuse(m, "a gain that is not positive"));
    }
done:
    return st;
}

static fmc_status read_tables(fmc_model *m)
{
    const fmc_weights_array *count = need_array(m, "gauss/count", FMC_WEIGHTS_U16, 1, FMC_LATENT_TABLES, 0);
    const fmc_weights_array *escape = need_array(m, "gauss/escape", FMC_WEIGHTS_U16, 1, FMC_LATENT_TABLES, 0), *frequency;
    uint16_t counts[FMC_LATENT_TABLES], escapes[FMC_LATENT_TABLES], *frequencies = NULL;
    size_t total = 0;
    fmc_status st;

    FMC_TRY(count && escape ? FMC_OK : FMC_ERR_BAD_MODEL);
    for (size_t k = 0; k < FMC_LATENT_TABLES; k++) {
        counts[k] = (uint16_t)fmc_weights_int(count, k);
        escapes[k] = (uint16_t)fmc_weights_int(escape, k);
        total += counts[k];
    }
    frequency = need_array(m, "gauss/frequency", FMC_WEIGHTS_U16, 1, total, 0);
    FMC_TRY(frequency ? FMC_OK : FMC_ERR_BAD_MODEL);
    FMC_TRY(FMC_ALLOC(&m->alloc, total, &frequencies));
    for (size_t i = 0; i < total; i++)
        frequencies[i] = (uint16_t)fmc_weights_int(frequency, i);
    FMC_TRY(fmc_latent_tables_init(&m->alloc, counts, frequencies, escapes, &m->tables));
done:
    fmc_dealloc(&m->alloc, frequencies);
    return st == FMC_ERR_BAD_MODEL ? refuse(m, "tables of the entropy coder") : st;
}

static fmc_status copy_record(fmc_model *m)
{
    const size_t n = m->weights.record.size;
    fmc_status st = FMC_OK;

    if (n == 0)
        return FMC_OK;
    FMC_TRY(FMC_ALLOC(&m->alloc, n + 1, &m->record));
    memcpy(m->record, m->weights.record.data, n);
    m->record[n] = 0;
done:
    return st;
}

static fmc_status fill(fmc_model *m, const void *data, size_t size)
{
    fmc_status st;

    FMC_TRY(fmc_alloc(&m->alloc, size, 1, (void **)&m->bytes));
    m->size = size;
    if (size)
        memcpy(m->bytes, data, size);
    FMC_TRY(fmc_weights_open(&m->alloc, m->bytes, size, &m->weights));
    FMC_TRY(read_numbers(m));
    FMC_TRY(copy_record(m));
    if (fmc_model_is_prior(m))
        goto done;
    FMC_TRY(read_programs(m));
    FMC_TRY(check_programs(m));
    FMC_TRY(read_hyper_model(m));
    FMC_TRY(read_gains(m, "gain/latent", m->n.latent, &m->gain_latent));
    FMC_TRY(read_gains(m, "gain/hyper", m->n.hyper, &m->gain_hyper));
    FMC_TRY(read_tables(m));
    FMC_TRY(fmc_net_prepare(&m->weights, &m->hyper));
    FMC_TRY(fmc_net_prepare(&m->weights, &m->synthesis));
    FMC_TRY(fmc_net_prepare(&m->weights, &m->analysis));
    FMC_TRY(fmc_net_prepare(&m->weights, &m->hyper_analysis));
done:
    return st;
}

int fmc_model_is_prior(const fmc_model *m)
{
    return m->prior.start != NULL;
}

fmc_status fmc_model_make(const fmc_allocator *a, const void *data, size_t size, char *why, fmc_model **out)
{
    fmc_model *m = NULL;
    fmc_status st;

    *out = NULL;
    why[0] = 0;
    FMC_TRY(FMC_ALLOC_ZERO(a, 1, &m));
    m->alloc = *a;
    m->weights.alloc = &m->alloc;
    FMC_TRY(fill(m, data, size));
    *out = m;
    m = NULL;
done:
    if (m)
        memcpy(why, m->weights.why, FMC_WHY_SIZE);
    fmc_model_free(m);
    return st;
}

void fmc_model_free(fmc_model *m)
{
    fmc_allocator a;

    if (!m)
        return;
    a = m->alloc;
    fmc_net_fini(&m->hyper);
    fmc_net_fini(&m->synthesis);
    fmc_net_fini(&m->analysis);
    fmc_net_fini(&m->hyper_analysis);
    fmc_prior_free(&a, &m->prior);
    fmc_latent_tables_fini(&a, &m->tables);
    fmc_weights_fini(&m->weights);
    fmc_dealloc(&a, m->gain_latent);
    fmc_dealloc(&a, m->gain_hyper);
    fmc_dealloc(&a, m->hyper_mean);
    fmc_dealloc(&a, m->hyper_scale);
    fmc_dealloc(&a, m->record);
    fmc_dealloc(&a, m->bytes);
    fmc_dealloc(&a, m);
}
