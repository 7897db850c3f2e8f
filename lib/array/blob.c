/* SPDX-License-Identifier: Apache-2.0 */
#define ZSTD_STATIC_LINKING_ONLY /* contexts that live in the caller's allocator */
#include "array/blob.h"

#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "core/status.h"

/* Below this zstd's own header eats the gain. */
#define MIN_SIZE 24

static void *zstd_alloc(void *user, size_t size)
{
    const fmc_allocator *a = user;
    void *p = NULL;

    return fmc_alloc(a, size, 1, &p) == FMC_OK ? p : NULL;
}

static void zstd_free(void *user, void *p)
{
    fmc_dealloc(user, p);
}

static ZSTD_customMem zstd_memory(const fmc_exec *ex)
{
    ZSTD_customMem mem = { zstd_alloc, zstd_free, NULL };

    memcpy(&mem.opaque, &ex->alloc, sizeof mem.opaque); /* a const pointer; never written through */
    return mem;
}

/* Packed size, 0 if there is nothing to gain. */
static fmc_status pack(const fmc_exec *ex, const uint8_t *data, size_t size, uint8_t *to, size_t *packed)
{
    ZSTD_CCtx *ctx;

    *packed = 0;
    ctx = ZSTD_createCCtx_advanced(zstd_memory(ex));
    if (!ctx)
        return FMC_ERR_NO_MEMORY;
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, size > ((size_t)1 << 20) ? 9 : 19);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0);
    *packed = ZSTD_compress2(ctx, to, size - 1, data, size); /* fails if not smaller */
    ZSTD_freeCCtx(ctx);
    if (ZSTD_isError(*packed)) {
        const ZSTD_ErrorCode code = ZSTD_getErrorCode(*packed);

        *packed = 0;
        return code == ZSTD_error_memory_allocation ? FMC_ERR_NO_MEMORY : FMC_OK;
    }
    return FMC_OK;
}

fmc_status fmc_blob_write(const fmc_exec *ex, const uint8_t *data, size_t size, fmc_out *out)
{
    fmc_status st = FMC_OK;
    uint8_t *buffer = NULL;
    size_t packed = 0;

    if (size >= MIN_SIZE) {
        FMC_TRY(FMC_ALLOC(ex->alloc, size, &buffer));
        FMC_TRY(pack(ex, data, size, buffer, &packed));
    }
    fmc_out_varint(out, packed);
    fmc_out_bytes(out, packed ? buffer : data, packed ? packed : size);
    st = out->st;
done:
    fmc_dealloc(ex->alloc, buffer);
    return st;
}

fmc_status fmc_blob_read(const fmc_exec *ex, fmc_in *in, uint8_t *data, size_t size)
{
    const uint64_t packed = fmc_in_varint(in);
    const uint8_t *from = fmc_in_bytes(in, packed ? packed : size);
    fmc_status st = fmc_in_status(in);
    ZSTD_DCtx *ctx;
    size_t got;

    if (st != FMC_OK)
        return st;
    if (packed == 0) {
        if (size)
            memcpy(data, from, size);
        return FMC_OK;
    }
    ctx = ZSTD_createDCtx_advanced(zstd_memory(ex));
    if (!ctx)
        return FMC_ERR_NO_MEMORY;
    got = ZSTD_decompressDCtx(ctx, data, size, from, (size_t)packed);
    ZSTD_freeDCtx(ctx);
    if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
        return FMC_ERR_NO_MEMORY;
    return got == size ? FMC_OK : FMC_ERR_CORRUPT;
}
