/* SPDX-License-Identifier: Apache-2.0 */
/* Print size and field offsets of every public struct, one a line; compared with struct_sizes.txt. With the golden
 * file as argument it compares itself and returns 1 on a difference. 64-bit pointers only: 77 (skip) elsewhere. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <fmc/backend.h>
#include <fmc/fmc.h>

static char text[8192];
static size_t used;

static void line(const char *name, size_t value)
{
    const int n = snprintf(text + used, sizeof text - used, "%s %zu\n", name, value);

    if (n > 0 && (size_t)n < sizeof text - used)
        used += (size_t)n;
}

#define SIZE(type) line(#type, sizeof(type))
#define FIELD(type, field) line(#type "." #field, offsetof(type, field))

static void describe_arrays(void)
{
    SIZE(fmc_array);
    FIELD(fmc_array, struct_size);
    FIELD(fmc_array, dtype);
    FIELD(fmc_array, rank);
    FIELD(fmc_array, reserved);
    FIELD(fmc_array, data);
    FIELD(fmc_array, dim);
    FIELD(fmc_array, stride);
    SIZE(fmc_io);
    FIELD(fmc_io, user);
    FIELD(fmc_io, write);
    FIELD(fmc_io, read_at);
    FIELD(fmc_io, size);
}

static void describe_context(void)
{
    SIZE(fmc_allocator);
    FIELD(fmc_allocator, user);
    FIELD(fmc_allocator, alloc);
    FIELD(fmc_allocator, free);
    SIZE(fmc_ctx_options);
    FIELD(fmc_ctx_options, allocator);
    FIELD(fmc_ctx_options, parallel_for);
    FIELD(fmc_ctx_options, parallel_for_user);
    FIELD(fmc_ctx_options, progress);
    FIELD(fmc_ctx_options, progress_user);
    FIELD(fmc_ctx_options, max_output_size);
    FIELD(fmc_ctx_options, max_output_ratio);
    FIELD(fmc_ctx_options, backend);
    FIELD(fmc_ctx_options, backend_path);
}

static void describe_backends(void)
{
    SIZE(fmc_backend_info);
    FIELD(fmc_backend_info, name);
    FIELD(fmc_backend_info, version);
    FIELD(fmc_backend_info, why);
    FIELD(fmc_backend_info, path);
    SIZE(fmc_backend_conv);
    FIELD(fmc_backend_conv, kernel);
    FIELD(fmc_backend_conv, stride);
    FIELD(fmc_backend_conv, pad);
    FIELD(fmc_backend_conv, weight);
    FIELD(fmc_backend_conv, bias);
    SIZE(fmc_backend);
    FIELD(fmc_backend, order);
    FIELD(fmc_backend, name);
    FIELD(fmc_backend, open);
    FIELD(fmc_backend, close);
    FIELD(fmc_backend, conv_prepare);
    FIELD(fmc_backend, conv_run);
    FIELD(fmc_backend, conv_release);
    FIELD(fmc_backend, gemm);
}

static void describe_params(void)
{
    SIZE(fmc_params);
    FIELD(fmc_params, bound_kind);
    FIELD(fmc_params, bound);
    FIELD(fmc_params, effort);
    FIELD(fmc_params, n_threads);
    FIELD(fmc_params, coder);
    FIELD(fmc_params, has_fill);
    FIELD(fmc_params, fill_value);
    FIELD(fmc_params, chunk);
    FIELD(fmc_params, axis);
    FIELD(fmc_params, no_model);
    FIELD(fmc_params, model);
    FIELD(fmc_params, embed);
    FIELD(fmc_params, reserved);
}

static void describe_infos(void)
{
    SIZE(fmc_info);
    FIELD(fmc_info, format_version);
    FIELD(fmc_info, dtype);
    FIELD(fmc_info, rank);
    FIELD(fmc_info, dim);
    FIELD(fmc_info, chunk);
    FIELD(fmc_info, n_chunks);
    FIELD(fmc_info, stream_size);
    FIELD(fmc_info, bound_kind);
    FIELD(fmc_info, is_complete);
    FIELD(fmc_info, bound);
    FIELD(fmc_info, has_fill);
    FIELD(fmc_info, effort);
    FIELD(fmc_info, fill_value);
    FIELD(fmc_info, model);
    FIELD(fmc_info, model_base);
    FIELD(fmc_info, model_size);
    SIZE(fmc_chunk_info);
    FIELD(fmc_chunk_info, coder);
    FIELD(fmc_chunk_info, start);
    FIELD(fmc_chunk_info, dim);
    FIELD(fmc_chunk_info, offset);
    FIELD(fmc_chunk_info, size);
    FIELD(fmc_chunk_info, abs_bound);
    FIELD(fmc_chunk_info, detail);
    FIELD(fmc_chunk_info, model);
}

static void describe_models(void)
{
    SIZE(fmc_model_info);
    FIELD(fmc_model_info, n_levels);
    FIELD(fmc_model_info, hash);
    FIELD(fmc_model_info, file_size);
    FIELD(fmc_model_info, n_parameters);
    FIELD(fmc_model_info, latent_channels);
    FIELD(fmc_model_info, hyper_channels);
    FIELD(fmc_model_info, patch);
    FIELD(fmc_model_info, architecture);
    FIELD(fmc_model_info, record);
}

int main(int argc, char **argv)
{
    static char golden[sizeof text];
    FILE *f;

    if (sizeof(void *) != 8)
        return 77;
    describe_arrays();
    describe_context();
    describe_backends();
    describe_params();
    describe_infos();
    describe_models();
    if (argc < 2) {
        fputs(text, stdout);
        return 0;
    }
    f = fopen(argv[1], "rb");
    if (!f) {
        fprintf(stderr, "cannot open %s\n", argv[1]);
        return 1;
    }
    golden[fread(golden, 1, sizeof golden - 1, f)] = 0;
    fclose(f);
    if (!strcmp(text, golden))
        return 0;
    fprintf(stderr, "public structs differ from %s; they are now:\n%s", argv[1], text);
    return 1;
}
