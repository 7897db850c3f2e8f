/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_random.h"

static fmc_tx_klt klt;

static void fill_f64(double *x, size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++)
        x[i] = next_real(seed);
}

static double distance(const double *x, const double *y, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

static void round_trip_f64(const fmc_tx_plan *p, uint64_t *seed, double *gain)
{
    const size_t n = plan_count(p);
    const fmc_exec ex = plain_exec(1);
    double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y), *zero = calloc(n, sizeof *zero);

    fill_f64(x, n, seed);
    memcpy(y, x, n * sizeof *x);
    assert_int_equal(fmc_tx_forward_f64(&ex, p, y), FMC_OK);
    *gain = distance(y, zero, n) / distance(x, zero, n);
    assert_int_equal(fmc_tx_inverse_f64(&ex, p, y), FMC_OK);
    assert_true(distance(x, y, n) <= 1e-14 * distance(x, zero, n));
    free(x);
    free(y);
    free(zero);
}

static void round_trip_f32(const fmc_tx_plan *p, uint64_t *seed)
{
    const size_t n = plan_count(p);
    const fmc_exec ex = plain_exec(1);
    float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    double error = 0, norm = 0;

    for (size_t i = 0; i < n; i++)
        y[i] = x[i] = (float)next_real(seed);
    assert_int_equal(fmc_tx_forward_f32(&ex, p, y), FMC_OK);
    assert_int_equal(fmc_tx_inverse_f32(&ex, p, y), FMC_OK);
    for (size_t i = 0; i < n; i++) {
        error += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        norm += (double)x[i] * x[i];
    }
    assert_true(sqrt(error) <= 3e-6 * sqrt(norm));
    free(x);
    free(y);
}

static void random_plans_go_back(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 400; i++) {
        const fmc_tx_plan p = random_plan(&seed, 20000);
        double gain;

        round_trip_f64(&p, &seed, &gain);
        round_trip_f32(&p, &seed);
    }
}

static void spectral_lengths_go_back_and_keep_the_norm(void **state)
{
    uint64_t seed = 4;

    (void)state;
    for (uint32_t kind = FMC_TX_DCT; kind <= FMC_TX_DFT; kind++)
        for (size_t n = 1; n <= 4096; n += n < 270 ? 1 : n / 7) {
            fmc_tx_plan p = { .rank = 2, .dim = { n, 1 + n % 37 }, .kind = { (uint8_t)kind, 0 } };
            double gain;

            if (!fmc_tx_is_possible(kind, n))
                continue;
            if (n > 300)
                p.dim[1] = 3;
            round_trip_f64(&p, &seed, &gain);
            assert_true(fabs(gain - 1) < 1e-12);
            round_trip_f32(&p, &seed);
        }
    assert_true(fmc_tx_is_possible(FMC_TX_DCT, 251));
    assert_false(fmc_tx_is_possible(FMC_TX_DCT, 257));
    assert_true(fmc_tx_is_possible(FMC_TX_DCT, 254));
    assert_true(fmc_tx_is_possible(FMC_TX_DCT, 127 * 32));
    assert_false(fmc_tx_is_possible(FMC_TX_DCT, 8192));
}

static void spectra_are_those_of_the_definition(void **state)
{
    static const size_t lengths[] = { 1, 2, 3, 8, 17, 31, 36, 40, 49, 60, 64, 77, 90, 131, 254 };
    const fmc_exec ex = plain_exec(1);
    const double pi = acos(-1.0);
    uint64_t seed = 5;

    (void)state;
    for (size_t t = 0; t < sizeof lengths / sizeof *lengths; t++)
        for (uint8_t kind = FMC_TX_DCT; kind <= FMC_TX_DFT; kind++) {
            const size_t n = lengths[t];
            const fmc_tx_plan p = { .rank = 1, .dim = { n }, .kind = { kind } };
            double x[254] = { 0 }, y[254];

            fill_f64(x, n, &seed);
            memcpy(y, x, sizeof y);
            assert_int_equal(fmc_tx_forward_f64(&ex, &p, y), FMC_OK);
            for (size_t k = 0; k < n; k++) {
                double want = 0;

                for (size_t i = 0; i < n; i++) {
                    const double f = (double)((k + 1) / 2), at = (double)i, m = (double)n;

                    if (k == 0)
                        want += x[i] / sqrt(m);
                    else if (kind == FMC_TX_DCT)
                        want += x[i] * sqrt(2 / m) * cos(pi * (2 * at + 1) * (double)k / (2 * m));
                    else if (2 * ((k + 1) / 2) == n)
                        want += x[i] * (i % 2 ? -1 : 1) / sqrt(m);
                    else
                        want += x[i] * sqrt(2 / m) * (k % 2 ? cos(2 * pi * f * at / m) : -sin(2 * pi * f * at / m));
                }
                assert_true(fabs(y[k] - want) < 1e-12);
            }
        }
}

static void wavelets_are_nearly_orthonormal(void **state)
{
    uint64_t seed = 6;

    (void)state;
    for (size_t i = 0; i < 14; i++) {
        const size_t n = 32 + i / 2 * 37;
        const uint8_t levels = fmc_tx_default_levels(n), is_long = i % 2;
        const fmc_tx_plan w = { .rank = 2, .dim = { n, n }, .kind = { 1, 1 }, .levels = { levels, levels },
                                .is_long = { is_long, is_long } };
        double gain;

        round_trip_f64(&w, &seed, &gain);
        assert_true(fabs(gain - 1) < 0.05);
    }
}

/* Forward, inverse and the bytes of both with other threads and kernels. */
static void results_do_not_depend_on_threads_or_kernels(void **state)
{
    uint64_t seed = 9;

    (void)state;
    for (int i = 0; i < 120; i++) {
        const fmc_tx_plan p = random_plan(&seed, 200000);
        const size_t n = plan_count(&p);
        float *x = malloc(n * sizeof *x), *want = malloc(n * sizeof *x), *got = malloc(n * sizeof *x);

        for (size_t k = 0; k < n; k++)
            x[k] = (float)next_real(&seed);
        for (uint32_t v = 0; v < 4; v++) {
            fmc_exec ex = plain_exec(v % 2 ? 3 : 1);
            float *out = v == 0 ? want : got;

            ex.kernels = fmc_kernels_select(v / 2 ? FMC_SIMD_BEST : FMC_SIMD_REF);
            memcpy(out, x, n * sizeof *x);
            assert_int_equal(fmc_tx_forward_f32(&ex, &p, out), FMC_OK);
            if (v)
                assert_memory_equal(want, got, n * sizeof *x);
        }
        for (uint32_t v = 0; v < 4; v++) {
            fmc_exec ex = plain_exec(v % 2 ? 3 : 1);

            ex.kernels = fmc_kernels_select(v / 2 ? FMC_SIMD_BEST : FMC_SIMD_REF);
            memcpy(got, want, n * sizeof *x);
            assert_int_equal(fmc_tx_inverse_f32(&ex, &p, got), FMC_OK);
            if (v)
                assert_memory_equal(x, got, n * sizeof *x);
            else
                memcpy(x, got, n * sizeof *x);
        }
        free(x);
        free(want);
        free(got);
    }
}

/* Many long lines side by side or one alone: the two ways of lifting agree. */
static void a_line_alone_gives_the_same_bits(void **state)
{
    uint64_t seed = 10;

    (void)state;
    for (size_t m = 2; m < 140; m++) {
        const size_t n = m / 2;
        const uint8_t is_long = m % 2;
        const fmc_exec ex = plain_exec(1);
        const fmc_tx_plan alone = { .rank = 1, .dim = { n }, .kind = { 1 }, .levels = { 3 }, .is_long = { is_long } };
        const fmc_tx_plan many = { .rank = 2, .dim = { n, 7 }, .kind = { 1, 0 }, .levels = { 3, 0 }, .is_long = { is_long } };
        double x[70], y[70 * 7];

        fill_f64(x, n, &seed);
        for (size_t i = 0; i < n * 7; i++)
            y[i] = x[i / 7];
        assert_int_equal(fmc_tx_forward_f64(&ex, &alone, x), FMC_OK);
        assert_int_equal(fmc_tx_forward_f64(&ex, &many, y), FMC_OK);
        for (size_t i = 0; i < n * 7; i++)
            assert_true(y[i] == x[i / 7]);
        assert_int_equal(fmc_tx_inverse_f64(&ex, &alone, x), FMC_OK);
        assert_int_equal(fmc_tx_inverse_f64(&ex, &many, y), FMC_OK);
        for (size_t i = 0; i < n * 7; i++)
            assert_true(y[i] == x[i / 7]);
    }
}

static void plans_survive_their_bytes(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (int i = 0; i < 300; i++) {
        const fmc_tx_plan p = random_plan(&seed, 1000000);
        fmc_tx_plan got = { .rank = p.rank };
        fmc_out out = fmc_out_make(&fmc_system_allocator);
        fmc_tx_klt *bases;
        fmc_in in;

        memcpy(got.dim, p.dim, sizeof p.dim);
        fmc_tx_plan_write(&p, &out);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_tx_plan_parse(&in, &fmc_system_allocator, &got, &bases), FMC_OK);
        assert_int_equal(fmc_in_left(&in), 0);
        assert_memory_equal(got.kind, p.kind, sizeof p.kind);
        assert_memory_equal(got.levels, p.levels, sizeof p.levels);
        assert_memory_equal(got.is_long, p.is_long, sizeof p.is_long);
        assert_null(bases);
        in = fmc_in_make(out.data, out.size - 1);
        assert_int_equal(fmc_tx_plan_parse(&in, &fmc_system_allocator, &got, &bases), FMC_ERR_TRUNCATED);
        fmc_out_fini(&out);
    }
}

/* Lines made of a few smooth waves of falling size, n places by 500. */
static void fill_waves(double *x, size_t n, uint64_t *seed)
{
    for (size_t l = 0; l < 500; l++) {
        double c[4];

        for (size_t k = 0; k < 4; k++)
            c[k] = next_real(seed) * pow(0.2, (double)k);
        for (size_t i = 0; i < n; i++) {
            x[i * 500 + l] = 1e-5 * next_real(seed);
            for (size_t k = 0; k < 4; k++)
                x[i * 500 + l] += c[k] * exp(-0.02 * (double)i) * cos(0.31 * (double)(k + 1) * (double)i + (double)k);
        }
    }
}

static void a_klt_gathers_the_power_and_goes_back(void **state)
{
    const fmc_exec ex = plain_exec(1);
    uint64_t seed = 12;

    (void)state;
    for (size_t n = 1; n <= 128; n += n < 8 ? 1 : 30) {
        fmc_tx_plan p = { .rank = 2, .dim = { n, 500 }, .kind = { FMC_TX_KLT, 0 }, .klt = { &klt } };
        double *x = malloc(n * 500 * sizeof *x), *y = malloc(n * 500 * sizeof *y);
        double head = 0, rest = 0;

        fill_waves(x, n, &seed);
        memcpy(y, x, n * 500 * sizeof *x);
        assert_int_equal(fmc_tx_klt_make_f64(&ex, &p, 0, x, 1e-3, &klt), FMC_OK);
        assert_int_equal(fmc_tx_forward_f64(&ex, &p, y), FMC_OK);
        for (size_t i = 0; i < n * 500; i++)
            *(i < 4 * 500 ? &head : &rest) += y[i] * y[i];
        assert_true(sqrt(rest / ((double)n * 500)) < 5e-4);
        assert_int_equal(fmc_tx_inverse_f64(&ex, &p, y), FMC_OK);
        for (size_t i = 0; i < n * 500; i++)
            assert_true(fabs(x[i] - y[i]) < 1e-13);
        free(x);
        free(y);
    }
}

static void a_klt_survives_its_bytes_and_rejects_others(void **state)
{
    static fmc_tx_klt got;
    uint64_t seed = 13;

    (void)state;
    for (uint32_t n = 1; n <= 128; n += 9) {
        fmc_out out = fmc_out_make(&fmc_system_allocator);
        fmc_in in;

        memset(&klt, 0, sizeof klt);
        klt.n = n;
        klt.n_rows = 1 + next_random(&seed) % n;
        for (uint32_t j = 0; j < klt.n_rows; j++)
            for (uint32_t i = 0; i < n; i++)
                klt.row[j][i] = (int16_t)(next_real(&seed) * 32767 / (1 << next_random(&seed) % 14) + 1);
        fmc_tx_klt_write(&klt, &out);
        in = fmc_in_make(out.data, out.size);
        assert_int_equal(fmc_tx_klt_parse(&in, n, &got), FMC_OK);
        assert_int_equal(fmc_in_left(&in), 0);
        assert_int_equal(got.n_rows, klt.n_rows);
        assert_memory_equal(got.row, klt.row, sizeof klt.row);
        for (size_t cut = 0; cut < out.size; cut += 1 + out.size / 50) {
            in = fmc_in_make(out.data, cut);
            assert_int_not_equal(fmc_tx_klt_parse(&in, n, &got), FMC_OK);
        }
        for (size_t i = 0; i < out.size; i++) { /* anything but undefined behaviour */
            out.data[i] = (uint8_t)next_random(&seed);
            in = fmc_in_make(out.data, out.size);
            (void)fmc_tx_klt_parse(&in, n, &got);
        }
        fmc_out_fini(&out);
    }
}

static void a_senseless_basis_is_harmless(void **state)
{
    const fmc_exec ex = plain_exec(1);
    const fmc_tx_plan p = { .rank = 2, .dim = { 5, 9 }, .kind = { FMC_TX_KLT, 0 }, .klt = { &klt } };
    double x[45] = { 1, 2, 3 };

    (void)state;
    memset(&klt, 0, sizeof klt);
    klt.n = 5;
    klt.n_rows = 4;
    for (size_t i = 0; i < 4; i++)
        klt.row[i][1] = 1; /* the same four times */
    assert_int_equal(fmc_tx_inverse_f64(&ex, &p, x), FMC_OK);
    for (size_t i = 0; i < 45; i++)
        assert_true(isfinite(x[i]));
    assert_int_equal(fmc_tx_forward_f64(&ex, &p, x), FMC_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_plans_go_back),
        cmocka_unit_test(spectral_lengths_go_back_and_keep_the_norm),
        cmocka_unit_test(spectra_are_those_of_the_definition),
        cmocka_unit_test(wavelets_are_nearly_orthonormal),
        cmocka_unit_test(results_do_not_depend_on_threads_or_kernels),
        cmocka_unit_test(a_line_alone_gives_the_same_bits),
        cmocka_unit_test(plans_survive_their_bytes),
        cmocka_unit_test(a_klt_gathers_the_power_and_goes_back),
        cmocka_unit_test(a_klt_survives_its_bytes_and_rejects_others),
        cmocka_unit_test(a_senseless_basis_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
