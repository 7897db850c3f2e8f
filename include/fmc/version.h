/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_VERSION_H
#define FMC_VERSION_H

#include <stdint.h>

/** API version: what this header describes. The format and model versions are separate numbers. */
#define FMC_VERSION_MAJOR 0
#define FMC_VERSION_MINOR 1
#define FMC_VERSION_PATCH 0

/** Version of the stream format that this header's library writes (docs/format.md 1). */
#define FMC_FORMAT_VERSION 5

#if defined(_WIN32) && defined(FMC_SHARED)
#define FMC_API __declspec(dllimport)
#elif defined(__GNUC__) || defined(__clang__)
#define FMC_API __attribute__((visibility("default")))
#else
#define FMC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the library that runs, as major * 10000 + minor * 100 + patch. Never fails; any thread. */
FMC_API uint32_t fmc_version(void);

/** The same as text ("0.1.0"); static storage. */
FMC_API const char *fmc_version_string(void);

#ifdef __cplusplus
}
#endif
#endif
