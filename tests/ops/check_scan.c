/* SPDX-License-Identifier: Apache-2.0 */
/* Every loop of lib/ops/kernels_scan.h: each variant that this machine runs gives the bits of ref. */
#include "ops_util.h"

#include <math.h>

#define OPS_CHECKS "check_scan.h"
#include "ops_both.h"

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_variant_gives_the_bits_of_ref) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
