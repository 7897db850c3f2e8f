/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include "core/status.h"
#include "interp/candidates.h"
#include "interp/fit.h"
#include "interp/rows.h"

#define REAL float
#define REAL_MAX FLT_MAX
#define REAL_ABS fabsf
#define NAME(name) name##_f32
#include "interp/interp_impl.h"
