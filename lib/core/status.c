/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <fmc/status.h>

static const char *const text[] = {
    [FMC_OK] = "success",
    [FMC_ERR_ARG] = "invalid argument",
    [FMC_ERR_NO_MEMORY] = "out of memory",
    [FMC_ERR_BUFFER_TOO_SMALL] = "output buffer too small",
    [FMC_ERR_NOT_FMC] = "not an fmc stream",
    [FMC_ERR_UNSUPPORTED] = "stream needs a newer or fuller version of fmc",
    [FMC_ERR_TRUNCATED] = "stream ends before its declared end",
    [FMC_ERR_CORRUPT] = "stream is damaged",
    [FMC_ERR_LIMIT] = "decoded size exceeds the limit set by the caller",
    [FMC_ERR_MODEL_MISSING] = "stream needs a model that is not loaded",
    [FMC_ERR_MODEL_MISMATCH] = "loaded model differs from the one that made the stream",
    [FMC_ERR_BAD_MODEL] = "weights file is not valid",
    [FMC_ERR_BACKEND_UNAVAILABLE] = "backend is not available on this machine",
    [FMC_ERR_BACKEND_FAILED] = "backend failed",
    [FMC_ERR_CANCELLED] = "cancelled before it was finished",
    [FMC_ERR_IO] = "reading or writing failed",
    [FMC_ERR_UNREACHABLE_SIZE] = "the requested size cannot be reached",
};

const char *fmc_status_string(fmc_status status)
{
    const size_t i = (size_t)status;

    if (i >= sizeof text / sizeof *text || !text[i])
        return "unknown status";
    return text[i];
}
