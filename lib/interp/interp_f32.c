/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include "core/status.h"
#include "interp/candidates.h"
#include "interp/fit.h"
#include "interp/rows.h"
#include "interp/scatter.h"
#include "ops/kernels.h"

#define REAL float
#define NAME(name) name##_f32
#define KERNEL(k, name) (k)->name##_f32
#include "interp/interp_impl.h"
