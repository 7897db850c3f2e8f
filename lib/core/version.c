/* SPDX-License-Identifier: Apache-2.0 */
#include <fmc/version.h>

#define TEXT(x) #x
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

uint32_t fmc_version(void)
{
    return FMC_VERSION_MAJOR * 10000u + FMC_VERSION_MINOR * 100u + FMC_VERSION_PATCH;
}

const char *fmc_version_string(void)
{
    return DOTTED(FMC_VERSION_MAJOR, FMC_VERSION_MINOR, FMC_VERSION_PATCH);
}
