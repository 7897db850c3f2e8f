/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding with a model: equal to the training code's integer forward, whatever computes it. */
#include "model_data.h"

#include <math.h>

static const char *const models[] = { "faithful", "klt" };
enum { N_MODELS = sizeof models / sizeof *models };

static fmc_exec exec_at(uint32_t level, uint32_t n_threads)
{
    return (fmc_exec){ .alloc = &fmc_system_allocator, .kernels = fmc_kernels_select(level), .n_threads = n_threads };
}

/* Run one case; all of its arrays must come out. */
static void run_case(const fmc_exec *ex, const fmc_model *m, const vector_case *c)
{
    int32_t *mu = malloc(c->shape.n_latents * sizeof *mu), *field = malloc(c->shape.n_padded * sizeof *field);
    uint8_t *index = malloc(c->shape.n_latents);

    assert_int_equal(fmc_vae_hyper(ex, m, c->level, &c->shape, c->qz, mu, index), FMC_OK);
    assert_memory_equal(mu, c->mu, c->shape.n_latents * sizeof *mu);
    for (size_t i = 0; i < c->shape.n_latents; i++)
        assert_int_equal(index[i], c->scale[i]);
    memset(field, 0x5a, c->shape.n_padded * sizeof *field);
    assert_int_equal(fmc_vae_synthesise(ex, m, c->level, &c->shape, c->qy, mu, field), FMC_OK);
    assert_memory_equal(field, c->field, c->shape.n_padded * sizeof *field);
    free(mu);
    free(field);
    free(index);
}

static void run_vectors(const fmc_exec *ex, const char *name)
{
    fmc_model *m = load_model(name);
    const file_bytes f = load_file(name, ".fmcv");
    fmc_in in = fmc_in_make(f.data, f.size);
    uint32_t n;

    assert_memory_equal(fmc_in_bytes(&in, 4), "FMCV", 4);
    n = fmc_in_u32(&in);
    assert_true(n > 0);
    assert_true(fmc_in_u64(&in) == m->weights.hash);
    for (uint32_t i = 0; i < n; i++) {
        vector_case c = read_case(m, &in);

        run_case(ex, m, &c);
        free_case(&c);
    }
    fmc_model_free(m);
    free(f.data);
}

static void vectors_come_out_at_every_level(void **state)
{
    (void)state;
    for (int k = 0; k < N_MODELS; k++)
        for (uint32_t level = FMC_SIMD_REF; level <= FMC_SIMD_AVX512VNNI; level++) {
            const fmc_exec ex = exec_at(level, 1);

            run_vectors(&ex, models[k]);
        }
}

static void vectors_come_out_of_any_number_of_threads(void **state)
{
    (void)state;
    for (int k = 0; k < N_MODELS; k++)
        for (uint32_t n = 2; n <= 5; n += 3) {
            const fmc_exec ex = exec_at(FMC_SIMD_BEST, n);

            run_vectors(&ex, models[k]);
        }
}

static uint32_t seed = 1;

static int32_t noise(int32_t reach)
{
    seed = seed * 1664525 + 1013904223;
    return (int32_t)(seed >> 8) % (reach + 1) - reach / 2;
}

/* Write symbols of a field of odd sizes, read them back as a decoder does; the field must equal direct synthesis. */
static void written_symbols_give_the_field_back(void **state)
{
    static const uint32_t dim[3] = { 9, 33, 70 };
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 2);

    (void)state;
    for (int k = 0; k < N_MODELS; k++) {
        fmc_model *m = load_model(models[k]);
        const size_t count = (size_t)dim[0] * dim[1] * dim[2];
        int32_t *field = malloc(count * sizeof *field), *back = malloc(count * sizeof *back), *qz, *qy, *mu;
        fmc_out out = fmc_out_make(&fmc_system_allocator);
        fmc_vae_shape s;
        fmc_in in;
        uint8_t *index;

        assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_OK);
        qz = malloc(s.n_hyper * sizeof *qz);
        qy = malloc(s.n_latents * sizeof *qy);
        mu = malloc(s.n_latents * sizeof *mu);
        index = malloc(s.n_latents);
        for (size_t i = 0; i < s.n_hyper; i++)
            qz[i] = noise(6);
        for (size_t i = 0; i < s.n_latents; i++)
            qy[i] = noise(i % 50 == 0 ? 4000 : 4); /* escapes among them */
        assert_int_equal(fmc_vae_hyper(&ex, m, 1, &s, qz, mu, index), FMC_OK);
        assert_int_equal(fmc_vae_synthesise(&ex, m, 1, &s, qy, mu, field), FMC_OK);
        assert_int_equal(fmc_vae_write(&ex, m, 1, &s, qz, qy, index, &out), FMC_OK);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_vae_read(&ex, m, 1, &s, &in, back), FMC_OK);
        assert_int_equal(fmc_in_left(&in), 0);
        assert_memory_equal(field, back, count * sizeof *field);
        for (size_t n = 0; n < out.size; n += 1 + out.size / 50) {
            in = fmc_in_make(out.data, n);
            assert_int_not_equal(fmc_vae_read(&ex, m, 1, &s, &in, back), FMC_OK);
        }
        fmc_out_fini(&out);
        free(field);
        free(back);
        free(qz);
        free(qy);
        free(mu);
        free(index);
        fmc_model_free(m);
    }
}

/* Latents beyond 2^23 come from no encoder. */
static void latents_out_of_range_are_corrupt(void **state)
{
    static const uint32_t dim[3] = { 4, 16, 16 };
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 1);
    fmc_model *m = load_model(models[0]);
    int32_t *q, *mu, *field = malloc(4 * 16 * 16 * sizeof *field);
    fmc_vae_shape s;

    (void)state;
    assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_OK);
    q = calloc(s.n_latents, sizeof *q);
    mu = calloc(s.n_latents, sizeof *mu);
    for (int sign = -1; sign <= 1; sign += 2) {
        q[s.n_latents - 1] = sign * (1 << 20);
        assert_int_equal(fmc_vae_synthesise(&ex, m, 0, &s, q, mu, field), FMC_ERR_CORRUPT);
        q[s.n_latents - 1] = sign < 0 ? INT32_MIN : INT32_MAX;
        assert_int_equal(fmc_vae_synthesise(&ex, m, 0, &s, q, mu, field), FMC_ERR_CORRUPT);
        q[s.n_latents - 1] = sign * ((1 << 19) - 1);
        assert_int_equal(fmc_vae_synthesise(&ex, m, 0, &s, q, mu, field), FMC_OK);
    }
    free(q);
    free(mu);
    free(field);
    fmc_model_free(m);
}

static float *read_floats(fmc_in *in, size_t n)
{
    float *v = malloc((n + 1) * sizeof *v);

    for (size_t i = 0; i < n; i++)
        v[i] = fmc_in_f32(in);
    return v;
}

/* Sums of some thousand floats in another order: far below a millionth of the largest per layer, some dozen layers. */
static void assert_close(const float *got, const float *want, size_t n)
{
    float most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(want[i]));
    for (size_t i = 0; i < n; i++)
        assert_true(fabsf(got[i] - want[i]) <= 2e-5F * most);
}

static void analysis_is_that_of_the_training_code(void **state)
{
    (void)state;
    for (int k = 0; k < N_MODELS; k++) {
        fmc_model *m = load_model(models[k]);
        const file_bytes f = load_file(models[k], ".analysis");
        fmc_in in = fmc_in_make(f.data, f.size);
        float *field, *y, *z, *first_y = NULL, *got_y, *got_z;
        fmc_vae_shape s;
        uint32_t dim[3];

        for (int d = 0; d < 3; d++)
            dim[d] = fmc_in_u32(&in);
        assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_OK);
        field = read_floats(&in, s.n_padded);
        y = read_floats(&in, s.n_latents);
        z = read_floats(&in, s.n_hyper);
        assert_int_equal(fmc_in_status(&in), FMC_OK);
        for (uint32_t level = FMC_SIMD_REF; level <= FMC_SIMD_AVX512VNNI; level++) {
            const fmc_exec ex = exec_at(level, 1 + level % 2);

            got_y = malloc(s.n_latents * sizeof *got_y);
            got_z = malloc(s.n_hyper * sizeof *got_z);
            assert_int_equal(fmc_vae_analyse(&ex, m, &s, field, got_y, got_z), FMC_OK);
            assert_close(got_y, y, s.n_latents);
            assert_close(got_z, z, s.n_hyper);
            if (first_y)
                assert_memory_equal(first_y, got_y, s.n_latents * sizeof *got_y); /* bit for bit */
            free(first_y);
            first_y = got_y;
            free(got_z);
        }
        free(first_y);
        free(field);
        free(y);
        free(z);
        free(f.data);
        fmc_model_free(m);
    }
}

/* Any floats, also none, give symbols that decode. */
static void any_field_has_symbols_that_decode(void **state)
{
    static const uint32_t dim[3] = { 5, 18, 33 };
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 1);
    fmc_model *m = load_model(models[1]);
    const size_t count = (size_t)dim[0] * dim[1] * dim[2];
    float *field = malloc(count * sizeof *field), *y, *z;
    int32_t *q, *mu, *value = malloc(count * sizeof *value);
    uint8_t *index;
    fmc_vae_shape s;

    (void)state;
    assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_OK);
    y = malloc(s.n_latents * sizeof *y);
    z = malloc(s.n_hyper * sizeof *z);
    q = malloc((s.n_latents + s.n_hyper) * sizeof *q);
    mu = malloc(s.n_latents * sizeof *mu);
    index = malloc(s.n_latents);
    for (int kind = 0; kind < 4; kind++) {
        fmc_out out = fmc_out_make(&fmc_system_allocator);
        fmc_in in;

        for (size_t i = 0; i < count; i++)
            field[i] = kind == 0 ? (float)noise(200) * 0.01F : kind == 1 ? (i % 2 ? 1e30F : -1e30F)
                       : kind == 2 ? (i % 5 ? 1.0F : INFINITY) : i % 7 ? 3e5F * (float)noise(20) : NAN;
        assert_int_equal(fmc_vae_analyse(&ex, m, &s, field, y, z), FMC_OK);
        assert_int_equal(fmc_vae_quantise(&ex, m, 2, &s, y, z, q + s.n_latents, q, mu, index), FMC_OK);
        assert_int_equal(fmc_vae_write(&ex, m, 2, &s, q + s.n_latents, q, index, &out), FMC_OK);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_vae_read(&ex, m, 2, &s, &in, value), FMC_OK);
        fmc_out_fini(&out);
    }
    free(field);
    free(y);
    free(z);
    free(q);
    free(mu);
    free(index);
    free(value);
    fmc_model_free(m);
}

/* Open a model and decode symbols with it. */
static fmc_status open_and_decode(failing *f, const file_bytes *file, const uint8_t *symbols, size_t size, int32_t *field)
{
    static const uint32_t dim[3] = { 5, 17, 20 };
    const fmc_exec ex = { .alloc = &f->alloc, .kernels = fmc_kernels_select(FMC_SIMD_BEST), .n_threads = 1 };
    fmc_in in = fmc_in_make(symbols, size);
    char why[FMC_WHY_SIZE];
    fmc_vae_shape s;
    fmc_model *m;
    fmc_status st = fmc_model_make(&f->alloc, file->data, file->size, why, &m);

    if (st == FMC_OK)
        st = fmc_vae_shape_make(m, dim, &s);
    if (st == FMC_OK)
        st = fmc_vae_read(&ex, m, 0, &s, &in, field);
    fmc_model_free(m);
    return st;
}

static void every_failed_allocation_is_told(void **state)
{
    static const uint32_t dim[3] = { 5, 17, 20 };
    const fmc_exec ex = exec_at(FMC_SIMD_BEST, 1);
    const file_bytes file = load_file(models[1], ".fmcw");
    fmc_model *m = load_model(models[1]);
    fmc_out out = fmc_out_make(&fmc_system_allocator);
    int32_t *field = malloc(5 * 17 * 20 * sizeof *field), *zero;
    fmc_status st = FMC_ERR_NO_MEMORY;
    fmc_vae_shape s;
    uint8_t *index;
    int64_t n = 0;

    (void)state;
    assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_OK);
    zero = calloc(s.n_latents + s.n_hyper, sizeof *zero);
    index = malloc(s.n_latents);
    assert_int_equal(fmc_vae_hyper(&ex, m, 0, &s, zero, field, index), FMC_OK);
    assert_int_equal(fmc_vae_write(&ex, m, 0, &s, zero, zero, index, &out), FMC_OK);
    for (; st != FMC_OK; n++) {
        failing f = { { NULL, failing_alloc, failing_free }, n, 0 };

        f.alloc.user = &f;
        st = open_and_decode(&f, &file, out.data, out.size, field);
        assert_int_equal(f.live, 0);
        assert_true(st == FMC_OK || st == FMC_ERR_NO_MEMORY);
    }
    assert_true(n > 50);
    fmc_out_fini(&out);
    fmc_model_free(m);
    free(file.data);
    free(field);
    free(zero);
    free(index);
}

static void cancelled_work_stops(void **state)
{
    static const uint32_t dim[3] = { 8, 32, 32 };
    fmc_exec ex = exec_at(FMC_SIMD_BEST, 2);
    fmc_model *m = load_model(models[0]);
    atomic_int cancelled = 1;
    int32_t *q, *field = malloc(8 * 32 * 32 * sizeof *field);
    fmc_vae_shape s;

    (void)state;
    ex.cancelled = &cancelled;
    assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_OK);
    q = calloc(s.n_latents, sizeof *q);
    assert_int_equal(fmc_vae_synthesise(&ex, m, 0, &s, q, q, field), FMC_ERR_CANCELLED);
    free(q);
    free(field);
    fmc_model_free(m);
}

static void absurd_sizes_are_refused(void **state)
{
    static const uint32_t dim[3] = { UINT32_MAX, UINT32_MAX, UINT32_MAX };
    fmc_model *m = load_model(models[0]);
    fmc_vae_shape s;

    (void)state;
    assert_int_equal(fmc_vae_shape_make(m, dim, &s), FMC_ERR_LIMIT);
    fmc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_come_out_at_every_level),
        cmocka_unit_test(vectors_come_out_of_any_number_of_threads),
        cmocka_unit_test(written_symbols_give_the_field_back),
        cmocka_unit_test(latents_out_of_range_are_corrupt),
        cmocka_unit_test(analysis_is_that_of_the_training_code),
        cmocka_unit_test(any_field_has_symbols_that_decode),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(cancelled_work_stops),
        cmocka_unit_test(absurd_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
