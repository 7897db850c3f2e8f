/* SPDX-License-Identifier: Apache-2.0 */
/* fmc backends: what can run the networks here (docs/backends.md). */
#include "cli.h"

#include <fmc/backend.h>
#include <inttypes.h>
#include <stdio.h>

/* Text from libraries: nothing in it may steer a terminal. */
static void print_text(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
}

static void print_backend(const fmc_backend_info *info)
{
    printf("%c %-10s %-4s ", info->is_chosen ? '*' : ' ', info->name, info->is_usable ? "yes" : "no");
    print_text(info->is_usable ? info->version : info->why);
    putchar('\n');
    if (info->path[0]) {
        printf("%18s", "");
        print_text(info->path);
        putchar('\n');
    }
}

static bool print_backends(fmc_ctx *ctx, bool *has_chosen)
{
    uint32_t count = 0;
    fmc_status st = fmc_backend_count(ctx, &count);
    for (uint32_t i = 0; i < count && st == FMC_OK; i++) {
        fmc_backend_info info = { .struct_size = sizeof info };
        st = fmc_backend_describe(ctx, i, &info);
        if (st == FMC_OK)
            print_backend(&info);
        *has_chosen = *has_chosen || (st == FMC_OK && info.is_chosen);
    }
    return st == FMC_OK || cli_error_status("backends", ctx, st);
}

int cli_backends(const cli_options *o)
{
    fmc_ctx *ctx = NULL;
    bool has_chosen = false;
    bool is_good = cli_context_create(o, NULL, &ctx);
    if (is_good) {
        puts("  backend    runs");
        is_good = print_backends(ctx, &has_chosen);
    }
    if (is_good && !has_chosen)
        is_good = cli_error("the backend that was asked for%s%s cannot be used: networks will not run", o->backend ? ", " : "",
                            o->backend ? o->backend : " (FMC_BACKEND)");
    else if (is_good)
        puts("* runs the networks; --backend NAME or FMC_BACKEND chooses another, FMC_BACKEND_PATH adds folders of modules");
    fmc_ctx_destroy(ctx);
    return is_good ? CLI_OK : CLI_FAILURE;
}
