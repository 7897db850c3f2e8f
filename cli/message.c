/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says to people: errors and names. */
#include "cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("fmc: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

static const char *advice(fmc_status status)
{
    switch (status) {
    case FMC_ERR_NOT_FMC:
        return "; is this the right file?";
    case FMC_ERR_UNSUPPORTED:
        return "; a newer fmc may read it";
    case FMC_ERR_TRUNCATED:
        return "; 'fmc decompress --partial' recovers the complete steps";
    case FMC_ERR_CORRUPT:
        return "; fetch or copy the file again";
    case FMC_ERR_NO_MEMORY:
        return "; free some memory or use fewer --threads";
    case FMC_ERR_UNREACHABLE_SIZE:
        return "; ask for a larger --size";
    default:
        return "";
    }
}

bool cli_error_status(const char *name, const fmc_ctx *ctx, fmc_status status)
{
    const char *message = ctx ? fmc_ctx_message(ctx) : "";
    if (strcmp(name, "-") == 0)
        name = "standard input";
    if (message[0] != '\0')
        return cli_error("%s: %s%s", name, message, status == FMC_ERR_MODEL_MISSING ? ": --model FILE" : "");
    return cli_error("%s: %s%s", name, fmc_status_string(status), advice(status));
}

const char *cli_coder_name(uint32_t coder)
{
    static const char *const names[] = { "auto", "transform", "interp", "grid", "exact" };
    if (coder == FMC_CODER_PCA)
        return "pca";
    return coder < sizeof names / sizeof names[0] ? names[coder] : "unknown";
}

const char *cli_bound_name(uint32_t bound_kind)
{
    static const char *const names[] = { "lossless", "abs", "rel", "pw-rel", "nrmse", "psnr", "size" };
    return bound_kind < sizeof names / sizeof names[0] ? names[bound_kind] : "unknown";
}

const char *cli_dtype_name(uint32_t dtype)
{
    return dtype == FMC_F32 ? "f32" : dtype == FMC_F64 ? "f64" : "unknown";
}

const char *cli_format_dims(uint32_t rank, const uint64_t *dim, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t a = 0; a < rank && a < FMC_MAX_RANK && used < size; a++) {
        const int n = snprintf(text + used, size - used, a ? " x %" PRIu64 : "%" PRIu64, dim[a]);
        if (n < 0)
            break;
        used += (size_t)n;
    }
    return text;
}
