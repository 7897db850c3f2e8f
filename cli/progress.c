/* SPDX-License-Identifier: Apache-2.0 */
/* The progress bar, and the context that feeds it. */
#include "cli.h"
#include "file.h"

#include <stdio.h>

enum { BAR_WIDTH = 40 };

void cli_progress_init(cli_progress *progress, const char *label)
{
    *progress = (cli_progress){ .label = label, .is_shown = cli_is_terminal(2), .percent = -1 };
}

static int show(void *user, double fraction)
{
    cli_progress *progress = user;
    const double inside = fraction > 0.0 ? (fraction < 1.0 ? fraction : 1.0) : 0.0;
    const int percent = (int)(inside * 100.0);
    if (!progress->is_shown || percent == progress->percent)
        return 0;
    progress->percent = percent;
    fprintf(stderr, "\r%s [", progress->label);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i * 100 < percent * BAR_WIDTH ? '#' : ' ', stderr);
    fprintf(stderr, "] %3d %%", percent);
    fflush(stderr);
    return 0;
}

void cli_progress_fini(cli_progress *progress)
{
    if (progress->is_shown && progress->percent >= 0)
        fprintf(stderr, "\r%70s\r", "");
    progress->percent = -1;
}

bool cli_context_create(const cli_options *o, cli_progress *progress, fmc_ctx **out)
{
    fmc_ctx_options options = { .struct_size = sizeof options, .backend = o->backend };
    if (progress && progress->is_shown) {
        options.progress = show;
        options.progress_user = progress;
    }
    const fmc_status st = fmc_ctx_create(&options, out);
    return st == FMC_OK || cli_error_status("start", NULL, st);
}
