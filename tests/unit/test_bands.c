/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_random.h"

static fmc_band bands[FMC_MAX_BANDS];

/* Mark each sample of a band's box in the array. */
static void mark(const fmc_tx_plan *p, const fmc_band *b, uint8_t *seen)
{
    const size_t shift = FMC_MAX_RANK - p->rank;

    for (size_t i = 0; i < b->count; i++) {
        size_t left = i, step = 1, at = 0;

        for (size_t a = FMC_MAX_RANK; a-- > 0; left /= b->dim[a]) {
            const size_t dim = a >= shift ? p->dim[a - shift] : 1;
            const size_t x = b->origin[a] + left % b->dim[a];

            assert_true(x < dim);
            at += x * step;
            step *= dim;
        }
        seen[at]++;
    }
}

static void check_cover(const fmc_tx_plan *p, size_t n)
{
    const size_t count = plan_count(p);
    uint8_t *seen = calloc(count, 1);
    size_t start = 0;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(bands[i].start, start);
        start += bands[i].count;
        mark(p, &bands[i], seen);
    }
    assert_int_equal(start, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(seen[i], 1);
    free(seen);
}

static void check_relations(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const fmc_band *b = &bands[i];

        assert_true(b->parent < (int)i && b->time_parent < (int)i);
        assert_true(b->n_siblings <= FMC_MAX_SIBLINGS);
        for (size_t s = 0; s < b->n_siblings; s++)
            assert_true(b->sibling[s] >= 0 && b->sibling[s] < (int)i);
        for (size_t a = 0; a < FMC_MAX_RANK; a++) {
            if (b->parent >= 0) {
                const size_t mine = b->dim[a], theirs = bands[b->parent].dim[a];

                if (b->parent_half >> a & 1)
                    assert_true(2 * theirs + 1 >= mine && 2 * theirs <= mine + 1);
                else
                    assert_int_equal(theirs, mine);
            }
            if (b->time_parent >= 0) {
                const size_t mine = b->dim[a], theirs = bands[b->time_parent].dim[a];

                if (b->time_half >> a & 1)
                    assert_true(2 * theirs + 1 >= mine && 2 * theirs <= mine + 1);
                else
                    assert_true(theirs <= mine + 1 && mine <= theirs + 1);
            }
        }
    }
}

static void every_sample_is_in_one_band(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int i = 0; i < 1500; i++) {
        const fmc_tx_plan p = random_plan(&seed, 20000);
        const size_t n = fmc_tx_bands(&p, bands);

        assert_int_equal(n, fmc_tx_count_bands(&p));
        assert_true(n >= 1);
        check_cover(&p, n);
        check_relations(n);
    }
}

static void a_dyadic_cube_has_the_usual_bands(void **state)
{
    const fmc_tx_plan p = { .rank = 3, .dim = { 16, 16, 16 }, .kind = { 1, 1, 1 }, .levels = { 2, 2, 2 } };
    const size_t n = fmc_tx_bands(&p, bands);

    (void)state;
    assert_int_equal(n, 15);
    assert_int_equal(bands[0].is_low, 1);
    assert_int_equal(bands[0].count, 64);
    assert_int_equal(bands[0].level, 2);
    for (size_t i = 1; i < n; i++) {
        assert_int_equal(bands[i].is_low, 0);
        assert_int_equal(bands[i].level, i < 8 ? 1 : 0);
        assert_int_equal(bands[i].parent, i < 8 ? -1 : (int)i - 7);
        assert_int_equal(bands[i].n_siblings, (i - 1) % 7);
    }
    assert_int_equal(bands[14].high, 4 | 8 | 16);
    assert_int_equal(bands[14].parent_half, 4 | 8 | 16);
}

static void packet_bands_know_their_past(void **state)
{
    const fmc_tx_plan p = { .rank = 2, .dim = { 32, 16 }, .kind = { 2, 1 }, .levels = { 2, 1 } };
    const size_t n = fmc_tx_bands(&p, bands);
    size_t with_time_parent = 0;

    (void)state;
    assert_int_equal(n, 6);
    assert_int_equal(bands[0].is_low, 1);
    for (size_t i = 0; i < n; i++)
        if (bands[i].time_parent >= 0) {
            const fmc_band *t = &bands[bands[i].time_parent];

            with_time_parent++;
            assert_int_equal(bands[i].high & 16, t->high & 16);
            assert_int_equal(bands[i].time_half, t->high & 8 ? 8 : 0);
        }
    assert_int_equal(with_time_parent, 3); /* not those whose parent would be the lowest band */
}

static void spectral_axes_leave_no_low_band(void **state)
{
    const fmc_tx_plan p = { .rank = 2, .dim = { 30, 16 }, .kind = { FMC_TX_DCT, 1 }, .levels = { 0, 1 } };
    const fmc_tx_plan none = { .rank = 2, .dim = { 30, 16 } };

    (void)state;
    assert_int_equal(fmc_tx_bands(&p, bands), 2);
    assert_int_equal(bands[0].is_low, 0);
    assert_int_equal(bands[0].dim[3], 30);
    assert_int_equal(bands[0].dim[4], 8);
    assert_int_equal(fmc_tx_bands(&none, bands), 1);
    assert_int_equal(bands[0].is_low, 1);
}

static void too_many_bands_are_refused(void **state)
{
    const fmc_tx_plan p = { .rank = 5, .dim = { 64, 64, 64, 64, 64 }, .kind = { 2, 2, 2, 2, 2 },
                            .levels = { 12, 12, 12, 12, 12 } };

    (void)state;
    assert_int_equal(fmc_tx_bands(&p, bands), 0);
    assert_int_equal(fmc_tx_is_valid(&p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_in_one_band),
        cmocka_unit_test(a_dyadic_cube_has_the_usual_bands), cmocka_unit_test(packet_bands_know_their_past),
        cmocka_unit_test(spectral_axes_leave_no_low_band),   cmocka_unit_test(too_many_bands_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
