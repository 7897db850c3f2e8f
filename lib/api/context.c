/* SPDX-License-Identifier: Apache-2.0 */
#include "api/context.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "ops/kernels.h"

#define DEFAULT_RATIO ((uint64_t)1 << 32)
#define REPORT_EVERY_NS 20000000u
/* Largest struct_size of a future header whose tail is looked at. */
enum { MAX_STRUCT_SIZE = 1024, MAX_THREADS = 256 };

fmc_status fmc_struct_take(const void *theirs, void *own, size_t size)
{
    const unsigned char *byte = theirs;
    uint32_t struct_size;

    memcpy(&struct_size, theirs, sizeof struct_size);
    if (struct_size < size || struct_size > MAX_STRUCT_SIZE) /* version 1: nothing shorter exists */
        return FMC_ERR_ARG;
    for (size_t i = size; i < struct_size; i++)
        if (byte[i])
            return FMC_ERR_ARG;
    memcpy(own, theirs, size);
    return FMC_OK;
}

fmc_status fmc_struct_give(const void *own, size_t size, void *theirs)
{
    uint32_t struct_size;

    memcpy(&struct_size, theirs, sizeof struct_size);
    if (struct_size < size || struct_size > MAX_STRUCT_SIZE)
        return FMC_ERR_ARG;
    memcpy(theirs, own, size);
    memset((unsigned char *)theirs + size, 0, struct_size - size);
    memcpy(theirs, &struct_size, sizeof struct_size);
    return FMC_OK;
}

static int is_name(const char *backend)
{
    return !backend || !*backend || fmc_backend_name_is_valid(backend);
}

static fmc_status take_options(const fmc_ctx_options *options, fmc_ctx_options *out)
{
    *out = (fmc_ctx_options){ 0 };
    if (options && fmc_struct_take(options, out, sizeof *out) != FMC_OK)
        return FMC_ERR_ARG;
    if (out->reserved || !is_name(out->backend) || !out->allocator.alloc != !out->allocator.free)
        return FMC_ERR_ARG;
    if (!out->allocator.alloc)
        out->allocator = fmc_system_allocator;
    return FMC_OK;
}

fmc_status fmc_ctx_create(const fmc_ctx_options *options, fmc_ctx **out)
{
    fmc_ctx_options o;
    fmc_status st;
    fmc_ctx *ctx = NULL;

    if (!out)
        return FMC_ERR_ARG;
    *out = NULL;
    st = take_options(options, &o);
    if (st == FMC_OK)
        st = FMC_ALLOC_ZERO(&o.allocator, 1, &ctx);
    if (st != FMC_OK)
        return st;
    if (pthread_mutex_init(&ctx->own_lock, NULL)) {
        fmc_dealloc(&o.allocator, ctx);
        return FMC_ERR_NO_MEMORY;
    }
    st = fmc_team_init(&ctx->team);
    if (st != FMC_OK) {
        pthread_mutex_destroy(&ctx->own_lock);
        fmc_dealloc(&o.allocator, ctx);
        return st;
    }
    ctx->alloc = o.allocator;
    st = fmc_backends_init(&ctx->backends, &ctx->alloc, o.backend, o.backend_path);
    if (st != FMC_OK) {
        fmc_team_fini(&ctx->team);
        pthread_mutex_destroy(&ctx->own_lock);
        fmc_dealloc(&o.allocator, ctx);
        return st;
    }
    ctx->kernels = fmc_kernels_select(fmc_backends_wants_ref(&ctx->backends) ? FMC_SIMD_REF : FMC_SIMD_BEST);
    ctx->parallel_for = o.parallel_for;
    ctx->parallel_for_user = o.parallel_for_user;
    ctx->progress = o.progress;
    ctx->progress_user = o.progress_user;
    ctx->max_output_size = o.max_output_size;
    ctx->max_output_ratio = o.max_output_ratio ? o.max_output_ratio : DEFAULT_RATIO;
    atomic_init(&ctx->cancelled, 0);
    atomic_init(&ctx->work_done, 0);
    *out = ctx;
    return FMC_OK;
}

void fmc_ctx_destroy(fmc_ctx *ctx)
{
    if (ctx) {
        const fmc_allocator alloc = ctx->alloc;

        fmc_ctx_drop_models(ctx);
        fmc_backends_fini(&ctx->backends);
        fmc_team_fini(&ctx->team);
        fmc_pool_drop(&alloc, &ctx->scratch);
        fmc_dealloc(&alloc, ctx);
    }
}

const char *fmc_ctx_message(const fmc_ctx *ctx)
{
    return ctx ? ctx->message : "";
}

void fmc_free(fmc_ctx *ctx, void *ptr)
{
    if (ctx)
        fmc_dealloc(&ctx->alloc, ptr);
}

fmc_status fmc_fail(fmc_ctx *ctx, fmc_status st, const char *format, ...)
{
    va_list args;

    if (!ctx || ctx->message[0])
        return st;
    va_start(args, format);
    (void)vsnprintf(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    return st;
}

/* ------------------------------------------------------------------------------------------------ progress -- */

static uint64_t now_ns(void)
{
    struct timespec t = { 0 };

    (void)timespec_get(&t, TIME_UTC);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

fmc_status fmc_work_report(fmc_ctx *ctx)
{
    const uint64_t done = atomic_load_explicit(&ctx->work_done, memory_order_relaxed);
    double fraction = ctx->work_total ? (double)done / (double)ctx->work_total : 0;

    if (atomic_load_explicit(&ctx->cancelled, memory_order_relaxed))
        return FMC_ERR_CANCELLED;
    if (!ctx->progress)
        return FMC_OK;
    if (fraction > 1)
        fraction = 1;
    ctx->last_report = now_ns();
    if (!ctx->progress(ctx->progress_user, fraction))
        return FMC_OK;
    atomic_store(&ctx->cancelled, 1);
    return fmc_fail(ctx, FMC_ERR_CANCELLED, "cancelled before it was finished, as the progress callback asked");
}

/* fmc_exec.poll: any thread, but only the caller's own reports, and not too often. */
static void poll_progress(void *user)
{
    fmc_ctx *ctx = user;

    if (pthread_equal(pthread_self(), ctx->caller) && now_ns() - ctx->last_report >= REPORT_EVERY_NS)
        (void)fmc_work_report(ctx);
}

void fmc_work_begin(fmc_ctx *ctx, uint64_t total)
{
    ctx->work_total = total;
    atomic_store_explicit(&ctx->work_done, 0, memory_order_relaxed);
}

void fmc_work_add(fmc_ctx *ctx, uint64_t amount)
{
    atomic_fetch_add_explicit(&ctx->work_done, amount, memory_order_relaxed);
}

/* --------------------------------------------------------------------------------------------------- calls -- */

fmc_exec fmc_ctx_enter(fmc_ctx *ctx, uint32_t n_threads)
{
    fmc_exec ex = { .alloc = &ctx->alloc,
                    .kernels = ctx->kernels,
                    .backends = &ctx->backends,
                    .n_threads = n_threads ? n_threads : fmc_cpu_count(),
                    .team = &ctx->team,
                    .parallel_for = ctx->parallel_for,
                    .parallel_for_user = ctx->parallel_for_user,
                    .cancelled = &ctx->cancelled,
                    .find_model = fmc_ctx_find_model,
                    .find_model_user = ctx };

    if (ctx->progress) {
        ex.poll = poll_progress;
        ex.poll_user = ctx;
    }
    if (ex.n_threads > MAX_THREADS)
        ex.n_threads = MAX_THREADS;
    fmc_fpenv_enter(&ctx->env);
    ctx->message[0] = 0;
    ctx->caller = pthread_self();
    ctx->last_report = 0;
    atomic_store(&ctx->cancelled, 0);
    fmc_work_begin(ctx, 0);
    return ex;
}

/* Which backend and why matter more than where in the call it was. */
static void tell_of_backend(fmc_ctx *ctx, fmc_status st)
{
    const fmc_backends *b = &ctx->backends;

    if (st == FMC_ERR_BACKEND_UNAVAILABLE && b->why[0])
        (void)snprintf(ctx->message, sizeof ctx->message, "%s", b->why);
    else if (st == FMC_ERR_BACKEND_FAILED && b->remote.table)
        (void)snprintf(ctx->message, sizeof ctx->message, "backend %s failed in the middle; 'cpu' needs no library",
                       b->remote.table->name);
    else
        (void)fmc_fail(ctx, st, "%s", fmc_status_string(st));
}

fmc_status fmc_ctx_leave(fmc_ctx *ctx, fmc_status st)
{
    if (st == FMC_OK)
        ctx->message[0] = 0;
    else if (st == FMC_ERR_BACKEND_UNAVAILABLE || st == FMC_ERR_BACKEND_FAILED)
        tell_of_backend(ctx, st);
    else
        (void)fmc_fail(ctx, st, "%s", fmc_status_string(st));
    fmc_team_end(&ctx->team);
    fmc_fpenv_leave(&ctx->env);
    return st;
}

fmc_status fmc_ctx_check_limit(fmc_ctx *ctx, uint64_t decoded, uint64_t compressed)
{
    if (ctx->max_output_size && decoded > ctx->max_output_size)
        return fmc_fail(ctx, FMC_ERR_LIMIT,
                        "the stream decodes to %" PRIu64 " bytes, above max_output_size = %" PRIu64
                        " of the context; raise it if the stream can be trusted",
                        decoded, ctx->max_output_size);
    if (compressed == 0 ? decoded > 0 : decoded / compressed > ctx->max_output_ratio)
        return fmc_fail(ctx, FMC_ERR_LIMIT,
                        "%" PRIu64 " bytes from %" PRIu64 " are above max_output_ratio = %" PRIu64
                        " of the context; raise it if the stream can be trusted",
                        decoded, compressed, ctx->max_output_ratio);
    if (decoded > SIZE_MAX / 8)
        return fmc_fail(ctx, FMC_ERR_LIMIT,
                        "the stream decodes to %" PRIu64 " bytes, more than this machine can address", decoded);
    return FMC_OK;
}
