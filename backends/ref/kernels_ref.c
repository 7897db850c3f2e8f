/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/kernels.h"

#include <math.h>
#include <string.h>
#include "loops_table.h"
#include "loops_coef_int.h"
#define ROWS(x) x##_c
#include "loops_rows.h"

#define REAL float
#define NAME(x) x##_f32
#include "loops_real.h"
#include "loops_fft.h"
#include "loops_predict.h"
#include "loops_coef.h"
#include "loops_scan.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "loops_real.h"
#include "loops_fft.h"
#include "loops_predict.h"
#include "loops_coef.h"
#include "loops_scan.h"
#undef REAL
#undef NAME

#define CNAME(x) x##_ref
#include "loops_static.h"

const fmc_kernels fmc_kernels_ref = { .name = "ref", .nn = &fmc_nn_ref, FMC_SLOTS(f32, f32), FMC_SLOTS(f64, f64),
                                      FMC_SLOTS_PREDICT(f32, f32), FMC_SLOTS_PREDICT(f64, f64),
                                      FMC_SLOTS_COEF(f32, f32), FMC_SLOTS_COEF(f64, f64),
                                      FMC_SLOTS_SCAN(f32, f32), FMC_SLOTS_SCAN(f64, f64), FMC_SLOTS_ROWS(c),
                                      FMC_SLOTS_STATIC(ref) };
