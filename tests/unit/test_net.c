/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs of every kind of op, run as libfmc does and by a plain interpreter of docs/weights-format.md 2. What the
 * check refuses is dropped, so that it is also shown that what it lets through stays in range.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "core/bytes_out.h"
#include "nn/net_plan.h"
#include "ops/kernels.h"

enum { MAX_OPS = 24, LEVELS = 2, WIDE = (1 << 23) - 1 };

static uint64_t seed = 1;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static int32_t between(int32_t lo, int32_t hi)
{
    return lo + (int32_t)below((uint32_t)(hi - lo + 1));
}

/* ---------------------------------------------------------------------------------------------- programs -- */

typedef struct program {
    fmc_weights w;
    fmc_net net;
} program;

/* Append an array of random values; weights small enough for some budget. @return its number. */
static int32_t add_array(program *p, uint32_t type, uint32_t rank, const uint32_t *dim, int32_t lo, int32_t hi)
{
    fmc_weights_array *a = &p->w.array[p->w.n_arrays];
    fmc_out out = fmc_out_make(&fmc_system_allocator);

    *a = (fmc_weights_array){ .type = type, .rank = rank, .count = 1 };
    for (uint32_t d = 0; d < rank; d++)
        a->count *= a->dim[d] = dim[d];
    for (size_t i = 0; i < a->count; i++) {
        const int32_t v = between(lo, hi);

        if (type == FMC_WEIGHTS_I32)
            fmc_out_u32(&out, (uint32_t)v);
        else if (type == FMC_WEIGHTS_I16)
            fmc_out_u16(&out, (uint16_t)v);
        else
            fmc_out_u8(&out, (uint8_t)v);
    }
    a->data = out.data;
    a->size = out.size;
    return (int32_t)p->w.n_arrays++;
}

/* Ranges that tensors have in practice, and some that they may have. */
static void choose_range(fmc_net_op *op)
{
    const uint32_t kind = below(6);

    op->lo = kind == 0 ? -WIDE : kind == 1 ? -32768 : kind == 2 ? 0 : -511;
    op->hi = kind == 0 ? WIDE : kind == 1 ? 32767 : 511;
}

static void make_conv(program *p, fmc_net_op *op, const fmc_net_op *x)
{
    static const uint32_t sizes[] = { 1, 1, 3, 3, 5, 7 };
    uint32_t dim[5], taps, limit;

    op->channels = 1 + below(20);
    op->p[6] = 1;
    if (below(3) == 0) { /* depthwise */
        op->channels = x->channels;
        op->p[6] = x->channels;
    } else if (below(4) == 0 && x->channels % 2 == 0) {
        op->channels = 2 + 2 * below(6);
        op->p[6] = 2;
    }
    for (int d = 0; d < 3; d++) {
        op->p[d] = dim[2 + d] = sizes[below(d == 0 ? 4 : 6)];
        op->p[3 + d] = below(5) ? 1 : 1u << below(3);
    }
    dim[0] = op->channels;
    dim[1] = x->channels / op->p[6];
    taps = dim[1] * dim[2] * dim[3] * dim[4];
    limit = (uint32_t)(WIDE / 2 / (1 + (x->hi > -x->lo ? x->hi : -x->lo))) / taps;
    limit = limit > 127 ? 127 : limit < 1 ? 1 : limit;
    choose_range(op);
    op->array[0] = add_array(p, FMC_WEIGHTS_I8, 5, dim, -(int32_t)limit, (int32_t)limit);
    if (below(4))
        op->array[1] = add_array(p, FMC_WEIGHTS_I32, 1, dim, -100000, 100000);
    op->array[2] = add_array(p, FMC_WEIGHTS_U8, 1, dim, 0, op->hi == WIDE ? 3 : 14);
}

static uint32_t any(const program *p)
{
    return below(3) ? p->net.n_ops - 1 : below(p->net.n_ops);
}

static void make_factors(fmc_net_op *op)
{
    for (int d = 0; d < 3; d++)
        op->p[d] = below(2) ? 1 : 1 + below(d == 0 ? 2 : 4);
}

/* A random op that may well be refused. */
static fmc_net_op make_op(program *p)
{
    fmc_net_op op = { .kind = 1 + below(FMC_NET_DIGIT), .n_inputs = 1, .array = { -1, -1, -1 } };
    const fmc_net_op *x = &p->net.op[op.input[0] = any(p)];
    uint32_t dim[2];

    if (x->kind == FMC_NET_INPUT && below(8))
        op.kind = FMC_NET_AFFINE; /* little else reads wide values */
    op.channels = x->channels;
    op.lo = x->lo;
    op.hi = x->hi;
    switch (op.kind) {
    case FMC_NET_AFFINE:
        dim[0] = LEVELS;
        dim[1] = op.channels;
        choose_range(&op);
        op.p[0] = below(25);
        op.array[0] = add_array(p, FMC_WEIGHTS_I16, 2, dim, -32768, 32767);
        op.array[1] = add_array(p, FMC_WEIGHTS_I32, 2, dim, -WIDE, WIDE);
        break;
    case FMC_NET_CONV:
        make_conv(p, &op, x);
        break;
    case FMC_NET_LEAKY:
        op.lo = x->lo < 0 ? x->lo >> 3 : x->lo;
        break;
    case FMC_NET_HSWISH:
        op.lo = -64;
        op.hi = 510;
        break;
    case FMC_NET_ADD:
    case FMC_NET_GATE:
    case FMC_NET_UPSAMPLE:
        op.n_inputs = 2;
        op.input[1] = any(p);
        if (op.kind == FMC_NET_UPSAMPLE || (op.kind == FMC_NET_GATE && below(2)))
            make_factors(&op);
        else
            op.p[0] = op.p[1] = op.p[2] = 1;
        if (op.kind == FMC_NET_ADD) {
            choose_range(&op);
            for (int k = 0; k < 3; k++)
                op.p[k] = below(5);
        }
        break;
    case FMC_NET_MAXPOOL:
    case FMC_NET_TILESTAT:
    case FMC_NET_SHUFFLE:
        make_factors(&op);
        if (op.kind == FMC_NET_TILESTAT)
            op.hi = 2 * x->hi - x->lo;
        if (op.kind == FMC_NET_SHUFFLE)
            op.channels = x->channels / (op.p[0] * op.p[1] * op.p[2]);
        break;
    case FMC_NET_CONCAT:
        op.n_inputs = 1 + below(4);
        op.channels = 0;
        for (uint32_t k = 0; k < op.n_inputs; k++) {
            if (k)
                op.input[k] = any(p);
            x = &p->net.op[op.input[k]];
            op.channels += x->channels;
            op.lo = x->lo < op.lo ? x->lo : op.lo;
            op.hi = x->hi > op.hi ? x->hi : op.hi;
        }
        break;
    default:
        op.p[0] = 1 + below(14);
        op.p[1] = below(2);
        op.lo = op.p[1] ? (x->lo + (1 << (op.p[0] - 1))) >> op.p[0] : -(1 << (op.p[0] - 1));
        op.hi = op.p[1] ? (x->hi + (1 << (op.p[0] - 1))) >> op.p[0] : (1 << (op.p[0] - 1)) - 1;
        break;
    }
    return op;
}

static int is_accepted(program *p)
{
    p->w.why[0] = 0;
    return fmc_net_check(&p->w, &p->net, LEVELS) == FMC_OK;
}

static void make_program(program *p)
{
    *p = (program){ .w = { .alloc = &fmc_system_allocator } };
    p->w.array = calloc(4000, sizeof *p->w.array);
    assert_int_equal(FMC_ALLOC_ZERO(&fmc_system_allocator, MAX_OPS, &p->net.op), FMC_OK);
    p->net.alloc = &fmc_system_allocator;
    p->net.op[0] = (fmc_net_op){ .kind = FMC_NET_INPUT, .channels = 1 + below(9), .lo = -WIDE, .hi = WIDE, .array = { -1, -1, -1 } };
    p->net.n_ops = 1;
    assert_true(is_accepted(p));
    for (int i = 0; i < 1000 && p->net.n_ops < MAX_OPS; i++) {
        p->net.op[p->net.n_ops] = make_op(p);
        p->net.n_ops++;
        if (!is_accepted(p))
            p->net.n_ops--;
    }
    assert_true(is_accepted(p));
    p->net.n_outputs = 1 + below(4);
    for (uint32_t k = 0; k < p->net.n_outputs; k++)
        p->net.output[k] = k == 0 ? p->net.n_ops - 1 : below(p->net.n_ops);
    assert_int_equal(fmc_net_prepare(&p->w, &p->net), FMC_OK);
}

static void free_program(program *p)
{
    for (uint32_t i = 0; i < p->w.n_arrays; i++)
        fmc_dealloc(&fmc_system_allocator, (void *)(uintptr_t)p->w.array[i].data);
    free(p->w.array);
    fmc_net_fini(&p->net);
}

/* ------------------------------------------------------------------------------------------- interpreter -- */

typedef struct tensor {
    uint64_t n[3];
    int32_t *v; /* [channels][t][y][x] */
} tensor;

static size_t place(const tensor *a, size_t c, size_t t, size_t y, size_t x)
{
    return ((c * a->n[0] + t) * a->n[1] + y) * a->n[2] + x;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static int64_t floor_of(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t rounded(int64_t v, uint32_t s)
{
    return s ? floor_of(v + ((int64_t)1 << (s - 1)), (int64_t)1 << s) : v;
}

static int64_t conv_at(const program *p, const fmc_net_op *op, const tensor *a, size_t o, const size_t at[3])
{
    const fmc_weights_array *w = &p->w.array[op->array[0]];
    const uint32_t per_in = w->dim[1], group = (uint32_t)o / (op->channels / op->p[6]);
    int64_t sum = op->array[1] < 0 ? 0 : fmc_weights_int(&p->w.array[op->array[1]], o);
    size_t i = o * w->count / op->channels;

    for (uint32_t c = 0; c < per_in; c++)
        for (uint32_t kt = 0; kt < op->p[0]; kt++)
            for (uint32_t ky = 0; ky < op->p[1]; ky++)
                for (uint32_t kx = 0; kx < op->p[2]; kx++, i++) {
                    const uint64_t t = at[0] * op->p[3] + kt - op->p[0] / 2, y = at[1] * op->p[4] + ky - op->p[1] / 2;
                    const uint64_t x = at[2] * op->p[5] + kx - op->p[2] / 2;

                    if (t < a->n[0] && y < a->n[1] && x < a->n[2])
                        sum += (int64_t)a->v[place(a, group * per_in + c, t, y, x)] * fmc_weights_int(w, i);
                }
    return rounded(sum, (uint32_t)fmc_weights_int(&p->w.array[op->array[2]], o));
}

/* Largest value of a window (mode 0), or mean plus mean absolute deviation. */
static int64_t window_at(const fmc_net_op *op, const tensor *a, size_t c, const size_t at[3], int is_max)
{
    int64_t most = INT64_MIN, sum = 0, n = 0, mean = 0, deviation = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t t = at[0] * op->p[0]; t < (at[0] + 1) * op->p[0] && t < a->n[0]; t++)
            for (size_t y = at[1] * op->p[1]; y < (at[1] + 1) * op->p[1] && y < a->n[1]; y++)
                for (size_t x = at[2] * op->p[2]; x < (at[2] + 1) * op->p[2] && x < a->n[2]; x++) {
                    const int64_t v = a->v[place(a, c, t, y, x)];

                    most = v > most ? v : most;
                    sum += pass ? 0 : v;
                    n += !pass;
                    deviation += pass ? llabs(v - mean) : 0;
                }
        mean = floor_of(2 * sum + n, 2 * n);
    }
    return is_max ? most : mean + floor_of(2 * deviation + n, 2 * n);
}

static int64_t value_at(const program *p, uint32_t i, const tensor *all, uint32_t level, size_t c, const size_t at[3])
{
    const fmc_net_op *op = &p->net.op[i];
    const tensor *a = &all[op->input[0]], *b = &all[op->input[1]];
    const int64_t v = op->kind == FMC_NET_CONCAT || op->kind == FMC_NET_CONV || op->kind == FMC_NET_SHUFFLE ||
                              op->kind == FMC_NET_MAXPOOL || op->kind == FMC_NET_TILESTAT || op->kind == FMC_NET_UPSAMPLE
                          ? 0 : a->v[place(a, c, at[0], at[1], at[2])];
    const size_t site = level * op->channels + c;
    int64_t w;

    switch (op->kind) {
    case FMC_NET_AFFINE:
        return clamp(rounded(v * fmc_weights_int(&p->w.array[op->array[0]], site) + fmc_weights_int(&p->w.array[op->array[1]], site), op->p[0]),
                     op->lo, op->hi);
    case FMC_NET_CONV:
        return clamp(conv_at(p, op, a, c, at), op->lo, op->hi);
    case FMC_NET_LEAKY:
        return v >= 0 ? v : floor_of(v, 8);
    case FMC_NET_HSWISH:
        return floor_of(v * clamp(floor_of(v, 2) + 256, 0, 512), 512);
    case FMC_NET_ADD:
        w = b->v[place(b, c, at[0], at[1], at[2])];
        return clamp(rounded(v * (1 << op->p[0]) + w * (1 << op->p[1]), op->p[2]), op->lo, op->hi);
    case FMC_NET_GATE:
        w = b->v[place(b, c, at[0] / op->p[0], at[1] / op->p[1], at[2] / op->p[2])];
        return floor_of(v * clamp(floor_of(w, 16) + 32, 0, 64) + 32, 64);
    case FMC_NET_MAXPOOL:
    case FMC_NET_TILESTAT:
        return window_at(op, a, c, at, op->kind == FMC_NET_MAXPOOL);
    case FMC_NET_UPSAMPLE:
        return a->v[place(a, c, at[0] / op->p[0], at[1] / op->p[1], at[2] / op->p[2])];
    case FMC_NET_SHUFFLE:
        c = ((c * op->p[0] + at[0] % op->p[0]) * op->p[1] + at[1] % op->p[1]) * op->p[2] + at[2] % op->p[2];
        return a->v[place(a, c, at[0] / op->p[0], at[1] / op->p[1], at[2] / op->p[2])];
    case FMC_NET_CONCAT:
        for (uint32_t k = 0; k < op->n_inputs; k++) {
            const uint32_t n = p->net.op[op->input[k]].channels;

            if (c < n)
                return all[op->input[k]].v[place(&all[op->input[k]], c, at[0], at[1], at[2])];
            c -= n;
        }
        return 0;
    default:
        return op->p[1] ? rounded(v, op->p[0]) : v - rounded(v, op->p[0]) * (1 << op->p[0]);
    }
}

static void interpret(const program *p, uint32_t level, const uint32_t in[3], const int32_t *x, tensor *all)
{
    for (uint32_t i = 0; i < p->net.n_ops; i++) {
        const fmc_net_op *op = &p->net.op[i];
        size_t count, at[3], k = 0;

        fmc_net_sites(op, in, all[i].n);
        count = op->channels * all[i].n[0] * all[i].n[1] * all[i].n[2];
        all[i].v = malloc(count * sizeof(int32_t));
        if (i == 0)
            memcpy(all[i].v, x, count * sizeof *x);
        for (size_t c = 0; i && c < op->channels; c++)
            for (at[0] = 0; at[0] < all[i].n[0]; at[0]++)
                for (at[1] = 0; at[1] < all[i].n[1]; at[1]++)
                    for (at[2] = 0; at[2] < all[i].n[2]; at[2]++) {
                        const int64_t v = value_at(p, i, all, level, c, at);

                        assert_true(v >= (op->lo < 0 ? op->lo : 0) && v <= (op->hi > 0 ? op->hi : 0));
                        all[i].v[k++] = (int32_t)v;
                    }
    }
}

/* ------------------------------------------------------------------------------------------------- tests -- */

static void run_and_compare(const program *p, const fmc_exec *ex, uint32_t level, const uint32_t in[3], const int32_t *x,
                            const tensor *all)
{
    int32_t *out[FMC_NET_OUTPUTS] = { NULL };
    size_t size[FMC_NET_OUTPUTS];
    uint64_t work;

    for (uint32_t k = 0; k < p->net.n_outputs; k++) {
        const tensor *t = &all[p->net.output[k]];

        size[k] = p->net.op[p->net.output[k]].channels * t->n[0] * t->n[1] * t->n[2] * sizeof(int32_t);
        out[k] = malloc(size[k]);
        memset(out[k], 0x5a, size[k]);
    }
    assert_int_equal(fmc_net_work_size(ex, &p->net, in, &work), FMC_OK);
    assert_int_equal(fmc_net_run(ex, &p->net, level, in, x, out), FMC_OK);
    for (uint32_t k = 0; k < p->net.n_outputs; k++) {
        assert_memory_equal(out[k], all[p->net.output[k]].v, size[k]);
        free(out[k]);
    }
}

static int32_t *make_input(const program *p, const uint32_t in[3])
{
    const size_t n = (size_t)p->net.op[0].channels * in[0] * in[1] * in[2];
    int32_t *x = malloc(n * sizeof *x);

    for (size_t i = 0; i < n; i++)
        x[i] = below(4) ? between(-1000, 1000) : between(-WIDE, WIDE);
    return x;
}

static void random_programs_run_as_they_are_defined(void **state)
{
    uint64_t kinds = 0, ways = 0, storages = 0;

    (void)state;
    for (int i = 0; i < 300; i++) {
        const uint32_t in[3] = { 1 + below(4), 1 + below(9), 1 + below(20) }, level = below(LEVELS);
        tensor all[MAX_OPS];
        program p;
        int32_t *x;

        make_program(&p);
        x = make_input(&p, in);
        interpret(&p, level, in, x, all);
        for (uint32_t simd = FMC_SIMD_REF; simd <= FMC_SIMD_AVX512VNNI; simd++) {
            const fmc_exec ex = { .alloc = &fmc_system_allocator, .kernels = fmc_kernels_select(simd),
                                  .n_threads = 1 + below(3) };

            run_and_compare(&p, &ex, level, in, x, all);
        }
        for (uint32_t k = 0; k < p.net.n_ops; k++) {
            kinds |= 1u << p.net.op[k].kind;
            ways |= p.net.op[k].kind == FMC_NET_CONV ? 1u << p.net.op[k].way : 0;
            storages |= 1u << p.net.op[k].storage;
            free(all[k].v);
        }
        free(x);
        free_program(&p);
    }
    assert_int_equal(kinds, (1u << (FMC_NET_DIGIT + 1)) - 1); /* nothing was left out */
    assert_int_equal(ways, 7);
    assert_int_equal(storages, 7);
}

static void input_outside_its_range_is_corrupt(void **state)
{
    const uint32_t in[3] = { 1, 1, 1 };
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
    int32_t x[16] = { 0 }, *out[FMC_NET_OUTPUTS];
    program p;

    (void)state;
    make_program(&p);
    for (int k = 0; k < FMC_NET_OUTPUTS; k++)
        out[k] = malloc(1 << 20);
    x[0] = WIDE + 1;
    assert_int_equal(fmc_net_run(&ex, &p.net, 0, in, x, out), FMC_ERR_CORRUPT);
    x[0] = -WIDE - 1;
    assert_int_equal(fmc_net_run(&ex, &p.net, 0, in, x, out), FMC_ERR_CORRUPT);
    for (int k = 0; k < FMC_NET_OUTPUTS; k++)
        free(out[k]);
    free_program(&p);
}

static void absurd_sizes_are_refused(void **state)
{
    const uint32_t in[3] = { UINT32_MAX, UINT32_MAX, UINT32_MAX };
    const fmc_exec ex = { .alloc = &fmc_system_allocator, .n_threads = 1 };
    program p;
    uint64_t size;

    (void)state;
    make_program(&p);
    assert_int_equal(fmc_net_work_size(&ex, &p.net, in, &size), FMC_ERR_LIMIT);
    free_program(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs_run_as_they_are_defined),
        cmocka_unit_test(input_outside_its_range_is_corrupt),
        cmocka_unit_test(absurd_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
