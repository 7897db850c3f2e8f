/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include "core/status.h"
#include "interp/candidates.h"
#include "interp/fit.h"
#include "interp/rows.h"

#define REAL double
#define REAL_MAX DBL_MAX
#define REAL_ABS fabs
#define NAME(name) name##_f64
#include "interp/interp_impl.h"
