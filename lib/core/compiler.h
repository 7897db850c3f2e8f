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

/* Within a loop that waits for another thread. */
#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
#define FMC_PAUSE() __builtin_ia32_pause()
#elif (defined(__GNUC__) || defined(__clang__)) && defined(__aarch64__)
#define FMC_PAUSE() __asm__ volatile("yield")
#else
#define FMC_PAUSE() ((void)0)
#endif

#endif
