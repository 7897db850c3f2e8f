/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/kernels.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <math.h>
#include <string.h>
#define FMC_HAS_ANY 1
#include "../../ref/loops_table.h"
#include "kernels_x86.h"

/* The instruction set belongs to this file alone, so that the rest of the library runs on any x86-64. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#endif

#define VEC_SIZE 64
#define TURN(type) turn_##type##_avx512
#include "turn.h"
#include "../../ref/loops_coef_int.h"
#define ROWS(x) x##_avx512
#include "../../ref/loops_rows.h"
#include "loops_prior_avx2.h"
#define FMC_HAS_LOOKUP 1
#define REAL float
#define NAME(x) x##_f32_avx512
#include "cost_avx512.h"
#define FMC_HAS_COST 1
#include "../../ref/loops_real.h"
#undef FMC_HAS_COST
#include "../../ref/loops_fft.h"
#include "../../ref/loops_predict.h"
#include "../loops_mat.h"
#include "../loops_lift.h"
#include "../loops_lift_long.h"
#include "../loops_predict.h"
#define LOOKUP_F32 1
#include "lookup.h"
#undef LOOKUP_F32
#include "quantise_avx512.h"
#define FMC_HAS_QUANTISE 1
#define FMC_HAS_CENTRE 1
#include "../../ref/loops_coef.h"
#undef FMC_HAS_QUANTISE
#undef FMC_HAS_CENTRE
#include "../../ref/loops_scan.h"
#define SQUARE 8
#define turn_block_f32_avx512 turn_f32_avx512
#include "transpose.h"
#undef SQUARE
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64_avx512
#include "../../ref/loops_real.h"
#include "../../ref/loops_fft.h"
#include "../../ref/loops_predict.h"
#include "../loops_mat.h"
#include "../loops_lift.h"
#include "../loops_lift_long.h"
#include "../loops_predict.h"
#include "lookup.h"
#include "../../ref/loops_coef.h"
#include "../../ref/loops_scan.h"
#define SQUARE 4
#define turn_block_f64_avx512 turn_f64_avx512
#include "transpose.h"
#undef SQUARE
#undef REAL
#undef NAME
#define CNAME(x) x##_avx512
#include "loops_static_avx2.h"
#include "moments_avx512.h"
#include "../../ref/loops_static.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#define TABLE(label, networks)                                                                                         \
    { .name = label, .nn = &(networks), FMC_SLOTS(f32, f32_avx512), FMC_SLOTS(f64, f64_avx512),                        \
      FMC_SLOTS_PREDICT(f32, f32_avx512), FMC_SLOTS_PREDICT(f64, f64_avx512), FMC_SLOTS_COEF(f32, f32_avx512),         \
      FMC_SLOTS_COEF(f64, f64_avx512), FMC_SLOTS_SCAN(f32, f32_avx512), FMC_SLOTS_SCAN(f64, f64_avx512), FMC_SLOTS_ROWS(avx512),         \
      FMC_SLOTS_STATIC(avx512) }

const fmc_kernels fmc_kernels_avx512 = TABLE("avx512", fmc_nn_avx512);
const fmc_kernels fmc_kernels_avx512vnni = TABLE("avx512vnni", fmc_nn_avx512vnni);
#else
typedef int fmc_kernels_avx512_absent; /* an empty file is no C */
#endif
