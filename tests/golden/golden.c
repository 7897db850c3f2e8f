/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden streams: bytes of one version of the encoder, and what every decoder must make of them for ever.
 *
 *   golden make DIR    write DIR/streams/NAME.fmc, DIR/hashes.txt, DIR/errors/NAME.fmc and DIR/errors/statuses.txt
 *   golden check DIR   decode everything on 1 and 3 threads; compare with hashes.txt and statuses.txt
 *   golden encode DIR  write what this machine's encoder makes of the same arrays, and its hashes, as `make`,
 *                      into DIR without errors/; another machine says `golden decode DIR`
 *
 * A hash is XXH64 over the samples as little-endian bytes, of the whole, of a box and of a half-resolution preview.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "golden_cases.h"
#include "golden_errors.h"

typedef struct memory_io {
    const unsigned char *bytes;
    size_t size;
} memory_io;

static int read_at(void *user, uint64_t offset, void *data, size_t size)
{
    const memory_io *m = user;

    if (offset > m->size || size > m->size - offset)
        return 1;
    memcpy(data, m->bytes + offset, size);
    return 0;
}

static int size_of(void *user, uint64_t *size)
{
    *size = ((memory_io *)user)->size;
    return 0;
}

static uint64_t hash_samples(const fmc_array *a)
{
    const size_t sample = a->dtype == FMC_F32 ? 4 : 8;
    const uint16_t one = 1;
    unsigned char is_little, *bytes = a->data;
    uint64_t n = 1;

    memcpy(&is_little, &one, 1);
    for (uint32_t i = 0; i < a->rank; i++)
        n *= a->dim[i];
    for (uint64_t i = 0; !is_little && i < n; i++)
        for (size_t k = 0; k < sample / 2; k++) {
            const unsigned char t = bytes[i * sample + k];

            bytes[i * sample + k] = bytes[i * sample + sample - 1 - k];
            bytes[i * sample + sample - 1 - k] = t;
        }
    return XXH64(bytes, n * sample, 0);
}

/* A part of the stream through a reader: a third from each end left out, or everything at half resolution. */
static fmc_status hash_part(fmc_ctx *ctx, memory_io *m, const fmc_info *info, uint32_t scale, uint32_t n_threads,
                            uint64_t *hash)
{
    const fmc_io io = { .struct_size = sizeof io, .user = m, .read_at = read_at, .size = size_of };
    uint64_t start[FMC_MAX_RANK], count[FMC_MAX_RANK], dim[FMC_MAX_RANK], n = 1;
    fmc_reader *reader;
    fmc_array part;
    fmc_status st;

    for (uint32_t i = 0; i < info->rank; i++) {
        start[i] = scale ? 0 : info->dim[i] / 3;
        count[i] = info->dim[i] - 2 * start[i];
        dim[i] = (count[i] + (1u << scale) - 1) >> scale;
        n *= dim[i];
    }
    fmc_array_init(&part, info->dtype, info->rank, dim, malloc(8 * n + 8));
    st = fmc_reader_open(ctx, &io, &reader);
    if (st == FMC_OK)
        st = fmc_reader_read(reader, start, count, scale, n_threads, &part);
    if (st == FMC_OK)
        *hash = hash_samples(&part);
    fmc_reader_close(reader);
    free(part.data);
    return st;
}

/* hash[0..2]: whole, box, preview. */
static fmc_status hash_stream(fmc_ctx *ctx, const unsigned char *bytes, size_t size, uint32_t n_threads, uint64_t *hash)
{
    memory_io m = { bytes, size };
    fmc_info info = { .struct_size = sizeof info };
    fmc_array a;
    fmc_status st = fmc_inspect(ctx, bytes, size, &info);

    if (st == FMC_OK)
        st = fmc_decompress_alloc(ctx, bytes, size, n_threads, &a);
    if (st != FMC_OK)
        return st;
    hash[0] = hash_samples(&a);
    fmc_free(ctx, a.data);
    st = hash_part(ctx, &m, &info, 0, n_threads, &hash[1]);
    return st == FMC_OK ? hash_part(ctx, &m, &info, 1, n_threads, &hash[2]) : st;
}

static FILE *open_in(const char *dir, const char *name, const char *ending, const char *mode)
{
    char path[1000];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s%s", dir, name, ending);
    file = fopen(path, mode);
    if (!file)
        fprintf(stderr, "cannot open %s\n", path);
    return file;
}

static int write_file(const char *dir, const char *name, const unsigned char *bytes, size_t size)
{
    FILE *file = open_in(dir, name, ".fmc", "wb");
    int is_bad = !file || fwrite(bytes, 1, size, file) != size;

    if (file)
        is_bad |= fclose(file) != 0;
    return is_bad;
}

static size_t read_file(const char *dir, const char *name, unsigned char *bytes, size_t cap)
{
    FILE *file = open_in(dir, name, ".fmc", "rb");
    size_t size = 0;

    if (file) {
        size = fread(bytes, 1, cap, file);
        fclose(file);
    }
    return size;
}

/* How the chunks were coded, for whoever reads the list. @return 0 where a case is named after something that was not chosen. */
static int describe(fmc_ctx *ctx, const unsigned char *bytes, size_t size, const char *name, FILE *list)
{
    static const char *const promised[] = { "trellis", "prior" };
    static const char *const coders[] = { "?", "transform", "interp", "grid", "exact", "?", "?", "pca" };
    fmc_chunk_info chunk = { .struct_size = sizeof chunk };
    int is_kept = 1;

    if (fmc_inspect_chunk(ctx, bytes, size, 0, &chunk) == FMC_OK)
        fprintf(list, " # %zu bytes, %s %s", size, coders[chunk.coder <= 7 ? chunk.coder : 0], chunk.detail);
    fputc('\n', list);
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
        is_kept &= !strstr(name, promised[i]) || strstr(chunk.detail, promised[i]) || (i == 1 && chunk.model != 0);
    return is_kept;
}

static int make_stream(fmc_ctx *ctx, const golden_case *c, const char *streams, FILE *list, int is_golden)
{
    unsigned char *bytes = NULL;
    uint64_t hash[3] = { 0 };
    size_t size = 0;
    fmc_status st = golden_encode(ctx, c, 1, &bytes, &size);

    if (st == FMC_OK)
        st = hash_stream(ctx, bytes, size, 1, hash);
    if (st == FMC_OK) {
        fprintf(list, "%s %016llx %016llx %016llx", c->name, (unsigned long long)hash[0], (unsigned long long)hash[1],
                (unsigned long long)hash[2]);
        if (!describe(ctx, bytes, size, c->name, list) && is_golden) { /* what encoders choose may change */
            fprintf(stderr, "%s: not coded as its name says\n", c->name);
            st = FMC_ERR_ARG;
        }
        if (write_file(streams, c->name, bytes, size))
            st = FMC_ERR_IO;
    } else {
        fprintf(stderr, "%s: %s (%s)\n", c->name, fmc_status_string(st), fmc_ctx_message(ctx));
    }
    free(bytes);
    return st != FMC_OK;
}

static int make_all(fmc_ctx *ctx, const char *dir, const char *streams, int is_golden)
{
    FILE *list = open_in(dir, "hashes.txt", "", "w");
    int n_bad = !list;

    for (size_t i = 0; list && i < golden_case_count; i++)
        n_bad += make_stream(ctx, &golden_cases[i], streams, list, is_golden);
    if (list)
        n_bad += fclose(list) != 0;
    return n_bad;
}

static int check_stream(fmc_ctx *ctx, const char *streams, const char *name, const unsigned long long *want)
{
    static unsigned char bytes[1 << 20];
    const size_t size = read_file(streams, name, bytes, sizeof bytes);
    int n_bad = 0;

    for (uint32_t n_threads = 1; n_threads <= 3; n_threads += 2) {
        uint64_t hash[3] = { 0 };
        const fmc_status st = hash_stream(ctx, bytes, size, n_threads, hash);

        for (int k = 0; k < 3 && st == FMC_OK; k++)
            if (hash[k] != want[k]) {
                fprintf(stderr, "%s: the %s decodes to other bits (%u threads)\n", name,
                        k == 0 ? "whole" : k == 1 ? "box" : "preview", n_threads);
                n_bad = 1;
            }
        if (st != FMC_OK) {
            fprintf(stderr, "%s: %s (%s)\n", name, fmc_status_string(st), fmc_ctx_message(ctx));
            n_bad = 1;
        }
    }
    return n_bad;
}

static int check_all(fmc_ctx *ctx, const char *dir, const char *streams)
{
    FILE *list = open_in(dir, "hashes.txt", "", "r");
    char line[400], name[64];
    unsigned long long want[3];
    int n_bad = !list, n = 0;

    while (list && fgets(line, sizeof line, list))
        if (sscanf(line, "%63s %llx %llx %llx", name, &want[0], &want[1], &want[2]) == 4) {
            n_bad += check_stream(ctx, streams, name, want);
            n++;
        }
    if (list)
        fclose(list);
    printf("%d streams, %d wrong\n", n, n_bad);
    return n_bad + (n == 0);
}

static fmc_status status_of(fmc_ctx *ctx, const unsigned char *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1); /* a block of its own: sanitizers see the first byte beyond */
    fmc_array a;
    fmc_status st = FMC_ERR_NO_MEMORY;

    if (copy) {
        memcpy(copy, bytes, size);
        st = fmc_decompress_alloc(ctx, copy, size, 1, &a);
        fmc_free(ctx, a.data);
    }
    free(copy);
    return st;
}

/* Damage a good stream in every way of golden_errors; what must come of it is written there, not observed. */
static int make_errors(fmc_ctx *ctx, const char *dir)
{
    FILE *list = open_in(dir, "errors/statuses.txt", "", "w");
    char errors[900];
    unsigned char *good = NULL, bad[4096];
    size_t size = 0;
    int n_bad = !list || golden_encode(ctx, &golden_cases[0], 1, &good, &size) != FMC_OK || size > sizeof bad / 2;

    snprintf(errors, sizeof errors, "%s/errors", dir);
    for (size_t i = 0; !n_bad && i < golden_error_count; i++) {
        const size_t bad_size = golden_damage(&golden_errors[i], good, size, bad);

        fprintf(list, "%s %d\n", golden_errors[i].name, (int)golden_errors[i].status);
        n_bad += write_file(errors, golden_errors[i].name, bad, bad_size);
    }
    free(good);
    if (list)
        n_bad += fclose(list) != 0;
    return n_bad;
}

static int check_errors(fmc_ctx *ctx, const char *dir)
{
    FILE *list = open_in(dir, "errors/statuses.txt", "", "r");
    static unsigned char bytes[4096];
    char errors[900], name[64];
    int want, n_bad = !list;

    snprintf(errors, sizeof errors, "%s/errors", dir);
    while (list && fscanf(list, "%63s %d", name, &want) == 2) {
        const size_t size = read_file(errors, name, bytes, sizeof bytes);
        const fmc_status st = status_of(ctx, bytes, size);

        if ((int)st != want) {
            fprintf(stderr, "errors/%s: %s instead of %s (%s)\n", name, fmc_status_string(st),
                    fmc_status_string((fmc_status)want), fmc_ctx_message(ctx));
            n_bad++;
        }
    }
    if (list)
        fclose(list);
    return n_bad;
}

/* Whether this machine runs the SIMD level that FMC_SIMD asks for: otherwise a pass would prove nothing. */
static int level_is_here(void)
{
    const char *level = getenv("FMC_SIMD");

    if (!level || (strcmp(level, "avx2") && strcmp(level, "avx512")))
        return 1;
#if defined(__x86_64__) && defined(__GNUC__)
    return strcmp(level, "avx2") ? __builtin_cpu_supports("avx512dq") != 0 : __builtin_cpu_supports("avx2") != 0;
#else
    return 0;
#endif
}

int main(int argc, char **argv)
{
    const char *verb = argc == 3 ? argv[1] : "", *dir = argc == 3 ? argv[2] : "";
    char streams[900];
    fmc_ctx *ctx;
    int n_bad = 2;

    if (!level_is_here()) {
        printf("this machine lacks %s\n", getenv("FMC_SIMD"));
        return 77; /* Meson: skipped */
    }
    if (fmc_ctx_create(NULL, &ctx) != FMC_OK)
        return 1;
    snprintf(streams, sizeof streams, "%s/streams", dir);
    if (golden_models_open(ctx))
        n_bad = 1;
    else if (!strcmp(verb, "make"))
        n_bad = make_all(ctx, dir, streams, 1) + make_errors(ctx, dir) + check_errors(ctx, dir);
    else if (!strcmp(verb, "check"))
        n_bad = check_all(ctx, dir, streams) + check_errors(ctx, dir);
    else if (!strcmp(verb, "encode"))
        n_bad = make_all(ctx, dir, streams, 0);
    else if (!strcmp(verb, "decode"))
        n_bad = check_all(ctx, dir, streams);
    else
        fprintf(stderr, "golden make|check|encode|decode DIR\n");
    fmc_ctx_destroy(ctx);
    golden_models_close();
    return n_bad ? 1 : 0;
}
