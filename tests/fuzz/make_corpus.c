/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeds for the fuzzers that need more than a golden stream: make_corpus DIR writes DIR/payload, DIR/region and
 * DIR/roundtrip. The folders must exist. Files that a fuzzer found lie beside them and are kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../golden/golden_cases.h"

static int write_seed(const char *dir, const char *kind, const char *name, const unsigned char *head, size_t n_head,
                      const unsigned char *bytes, size_t size)
{
    char path[1000];
    FILE *file;
    int is_bad;

    snprintf(path, sizeof path, "%s/%s/seed_%s", dir, kind, name);
    file = fopen(path, "wb");
    if (!file) {
        fprintf(stderr, "cannot write %s\n", path);
        return 1;
    }
    is_bad = fwrite(head, 1, n_head, file) != n_head || fwrite(bytes, 1, size, file) != size;
    return is_bad | (fclose(file) != 0);
}

/* Where the payload of the only record begins (docs/format.md 4). */
static size_t payload_start(const unsigned char *bytes, uint64_t record)
{
    size_t at = (size_t)record + 2; /* tag, ordinal 0 */

    while (bytes[at++] & 0x80)
        ;
    return at + 8;
}

/* A small case whose shape fuzz_payload.c can name: extents 9, 12, 16 are numbers 7, 8, 9 of its table. */
static int payload_seed(fmc_ctx *ctx, const char *dir, const golden_case *from)
{
    const unsigned char head[4] = { (unsigned char)((from->dtype == FMC_F32) | (from->rank - 1) << 1 |
                                                    (from->has_fill ? 32 : 0)), 7, 8, 9 };
    fmc_chunk_info chunk = { .struct_size = sizeof chunk };
    golden_case c = *from;
    unsigned char *bytes = NULL;
    size_t size, start;
    int is_bad = 1;

    memcpy(c.dim, (const uint64_t[]){ 9, 12, 16, 0, 0 }, sizeof c.dim);
    memset(c.chunk, 0, sizeof c.chunk);
    if (golden_encode(ctx, &c, 1, &bytes, &size) == FMC_OK &&
        fmc_inspect_chunk(ctx, bytes, size, 0, &chunk) == FMC_OK) {
        start = payload_start(bytes, chunk.offset);
        is_bad = write_seed(dir, "payload", c.name, head, sizeof head, bytes + start,
                            (size_t)(chunk.offset + chunk.size) - start);
    }
    free(bytes);
    return is_bad;
}

static int region_seed(fmc_ctx *ctx, const char *dir, const golden_case *c, unsigned char scale)
{
    const unsigned char choice[12] = { scale, 1, 3, 2, 7, 2, 7, 0, 0, 0, 0, 0 };
    unsigned char *bytes = NULL;
    size_t size;
    int is_bad = 1;

    if (golden_encode(ctx, c, 1, &bytes, &size) == FMC_OK)
        is_bad = write_seed(dir, "region", c->name, choice, sizeof choice, bytes, scale ? size : size * 3 / 4);
    free(bytes);
    return is_bad;
}

static int roundtrip_seed(const char *dir, unsigned i)
{
    static const char *const names[] = { "lossless", "abs", "rel", "pw_rel", "nrmse", "psnr" };
    const unsigned char head[13] = { (unsigned char)(i & 1), (unsigned char)(i % 3), 9, 7, 5, (unsigned char)(60 + 9 * i),
                                     (unsigned char)i, (unsigned char)(i % 3), (unsigned char)(i % 5), 0, 0, 0, 0 };
    float samples[64];
    unsigned char bytes[sizeof samples];

    for (unsigned k = 0; k < 64; k++)
        samples[k] = (float)((k * (64 - k)) % 97) / 8 - 3;
    memcpy(bytes, samples, sizeof samples);
    return write_seed(dir, "roundtrip", names[i], head, sizeof head, bytes, sizeof bytes);
}

int main(int argc, char **argv)
{
    fmc_ctx *ctx;
    int n_bad = 0;

    if (argc != 2 || fmc_ctx_create(NULL, &ctx) != FMC_OK || golden_models_open(ctx))
        return 2;
    for (size_t i = 0; i < golden_case_count; i++) {
        const golden_case *c = &golden_cases[i];

        if (c->rank <= 3 && !c->steps && c->dim[1 % c->rank] > 1)
            n_bad += payload_seed(ctx, argv[1], c);
        if (c->steps || c->chunk[0])
            n_bad += region_seed(ctx, argv[1], c, (unsigned char)(c->steps ? 0 : 1));
    }
    for (unsigned i = 0; i < 6; i++)
        n_bad += roundtrip_seed(argv[1], i);
    fmc_ctx_destroy(ctx);
    golden_models_close();
    return n_bad != 0;
}
