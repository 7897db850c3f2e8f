/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_COMPILER_H
#define FMC_CORE_COMPILER_H

#if defined(__GNUC__) || defined(__clang__)
#define FMC_ALWAYS_INLINE static inline __attribute__((always_inline))
#define FMC_LIKELY(x) __builtin_expect(!!(x), 1)
#define FMC_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define FMC_ALWAYS_INLINE static inline
#define FMC_LIKELY(x) (x)
#define FMC_UNLIKELY(x) (x)
#endif

#endif
