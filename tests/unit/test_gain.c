/* SPDX-License-Identifier: Apache-2.0 */
#include "tx_random.h"

#include "transform/gain.h"

enum { SIDE = 1 << 15 };

/* Each band's gain along one wavelet axis is the energy of an impulse in its middle. */
static void gains_are_the_energy_of_impulses(void **state)
{
    const fmc_exec ex = plain_exec(1);
    double *x = calloc(SIDE, sizeof *x);

    (void)state;
    for (int way = 0; way < 4; way++)
        for (uint8_t levels = 0; levels <= 9; levels++) {
            const fmc_tx_plan plan = { .rank = 1, .dim = { SIDE }, .levels = { levels },
                                       .kind = { way % 2 ? FMC_TX_PACKET : FMC_TX_DYADIC }, .is_long = { way >= 2 } };
            fmc_band band[FMC_MAX_BANDS];
            const size_t n = fmc_tx_bands(&plan, band);

            for (size_t b = 0; b < n; b++) {
                double energy = 0;

                memset(x, 0, SIDE * sizeof *x);
                x[band[b].origin[4] + band[b].dim[4] / 2] = 1;
                assert_int_equal(fmc_tx_inverse_f64(&ex, &plan, x), FMC_OK);
                for (size_t i = 0; i < SIDE; i++)
                    energy += x[i] * x[i];
                assert_true(fabs(fmc_tx_band_gain(&plan, &band[b]) / energy - 1) < 1e-4);
            }
        }
    free(x);
}

/* Several axes multiply; orthonormal ones count as 1. */
static void axes_multiply(void **state)
{
    const fmc_tx_plan plan = { .rank = 3, .dim = { 40, 64, 64 }, .levels = { 0, 2, 2 },
                               .kind = { FMC_TX_DCT, FMC_TX_DYADIC, FMC_TX_DYADIC } };
    const fmc_tx_plan line = { .rank = 1, .dim = { 64 }, .levels = { 2 }, .kind = { FMC_TX_DYADIC } };
    fmc_band band[FMC_MAX_BANDS], alone[FMC_MAX_BANDS];

    (void)state;
    assert_true(fmc_tx_bands(&plan, band) == 7);
    assert_true(fmc_tx_bands(&line, alone) == 3);
    assert_true(fabs(fmc_tx_band_gain(&plan, &band[0]) - pow(fmc_tx_band_gain(&line, &alone[0]), 2)) < 1e-6);
    assert_true(fabs(fmc_tx_band_gain(&plan, &band[6]) - pow(fmc_tx_band_gain(&line, &alone[2]), 2)) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gains_are_the_energy_of_impulses),
                                        cmocka_unit_test(axes_multiply) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
