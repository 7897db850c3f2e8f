/* SPDX-License-Identifier: Apache-2.0 */
/* Input arrays: which kind of file it is, and memory layout. */
#include "input.h"

#include <stdlib.h>
#include <string.h>

size_t cli_dtype_size(uint32_t dtype)
{
    return dtype == FMC_F32 ? 4 : dtype == FMC_F64 ? 8 : 0;
}

bool cli_array_size(uint32_t dtype, uint32_t rank, const uint64_t *dim, size_t *size)
{
    uint64_t product = cli_dtype_size(dtype);
    bool is_empty = false;
    for (uint32_t a = 0; a < rank; a++) {
        if (dim[a] == 0)
            is_empty = true;
        else if (dim[a] > (uint64_t)PTRDIFF_MAX / product)
            return false;
        else
            product *= dim[a];
    }
    *size = is_empty ? 0 : (size_t)product;
    return true;
}

bool cli_array_is_c_order(const fmc_array *array)
{
    int64_t step = (int64_t)cli_dtype_size(array->dtype);
    for (uint32_t a = array->rank; a-- > 0;) {
        if (array->dim[a] > 1 && array->stride[a] != step)
            return false;
        step *= (int64_t)array->dim[a];
    }
    return true;
}

/* Copy any strides to C order: one run along the last axis per turn of the odometer. */
static void copy_strided(const fmc_array *src, uint8_t *dst)
{
    const size_t width = cli_dtype_size(src->dtype);
    const uint32_t last = src->rank - 1;
    uint64_t at[FMC_MAX_RANK] = { 0 };
    for (;;) {
        const uint8_t *p = src->data;
        for (uint32_t a = 0; a < last; a++)
            p += (int64_t)at[a] * src->stride[a];
        for (uint64_t i = 0; i < src->dim[last]; i++, p += src->stride[last], dst += width)
            memcpy(dst, p, width);
        uint32_t a = last;
        while (a > 0 && ++at[a - 1] == src->dim[a - 1])
            at[--a] = 0;
        if (a == 0)
            return;
    }
}

const uint8_t *cli_array_pack(const fmc_array *array, void **owned)
{
    static const uint8_t nothing[1];
    size_t size = 0;
    *owned = NULL;
    if (!cli_array_size(array->dtype, array->rank, array->dim, &size))
        return NULL;
    if (size == 0)
        return nothing;
    if (cli_array_is_c_order(array))
        return array->data;
    uint8_t *copy = malloc(size);
    if (copy)
        copy_strided(array, copy);
    *owned = copy;
    return copy;
}

/* The colon of FILE:VARIABLE, or NULL. A file of the whole name wins. */
static const char *find_variable(const char *path)
{
    const char *colon = strrchr(path, ':');
    if (!colon || colon == path || cli_file_exists(path))
        return NULL;
    return colon;
}

static bool is_netcdf(const uint8_t *data, size_t size)
{
    return size >= 8 && ((memcmp(data, "CDF", 3) == 0 && data[3] >= 1 && data[3] <= 5) ||
                         memcmp(data, "\x89HDF\r\n\x1a\n", 8) == 0);
}

static bool refuse_raw(const char *name)
{
    return cli_error("%s: tells its own shape and type; -d and -t are for raw samples, leave them out", name);
}

static bool open_variable(const char *path, const char *colon, const cli_options *options, cli_input *out)
{
    const size_t length = (size_t)(colon - path);
    bool is_good = false;
    char *file = malloc(length + 1);
    if (!file)
        return cli_error("out of memory");
    memcpy(file, path, length);
    file[length] = '\0';
    if (!cli_file_exists(file))
        cli_error("%s: there is no such file", file);
    else
        is_good = options->n_dims ? refuse_raw(path) : cli_netcdf_open(file, colon + 1, out);
    free(file);
    return is_good;
}

static bool refuse_pipe(void)
{
    return cli_error("standard input: netCDF and HDF5 cannot come through a pipe; name the file and its variable "
                     "(file.nc:T), or pipe an .npy file");
}

static bool open_bytes(const char *path, const cli_options *options, cli_input *out)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    if (!cli_bytes_open(path, &out->bytes))
        return false;
    const bool is_npy = cli_npy_is(out->bytes.data, out->bytes.size);
    const bool is_nc = is_netcdf(out->bytes.data, out->bytes.size);
    if (options->n_dims)
        return is_npy || is_nc ? refuse_raw(name) : cli_raw_open(name, options, out);
    if (is_npy)
        return cli_npy_open(name, out);
    if (is_nc)
        return strcmp(path, "-") == 0 ? refuse_pipe() : cli_netcdf_open(path, "", out);
    return cli_error("%s: is no .npy file; for raw samples give shape and type: -d 8,256,256 -t f32", name);
}

bool cli_input_open(const char *path, const cli_options *options, cli_input *out)
{
    const char *colon = find_variable(path);
    *out = (cli_input){ 0 };
    const bool is_good = colon ? open_variable(path, colon, options, out) : open_bytes(path, options, out);
    if (!is_good)
        cli_input_close(out);
    return is_good;
}

void cli_input_close(cli_input *input)
{
    cli_bytes_close(&input->bytes);
    free(input->owned);
    input->owned = NULL;
}
