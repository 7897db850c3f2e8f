/* SPDX-License-Identifier: Apache-2.0 */
/* Raw samples: nothing but numbers in host byte order and C order. */
#include "input.h"

bool cli_raw_open(const char *name, const cli_options *options, cli_input *input)
{
    size_t size = 0;
    char dims[128];
    if (!cli_array_size(options->dtype, options->n_dims, options->dim, &size))
        return cli_error("%s: -d describes more samples than memory can hold", name);
    if (size != input->bytes.size)
        return cli_error("%s: has %zu bytes, but %s of %s are %zu bytes; check -d and -t", name, input->bytes.size,
                         cli_format_dims(options->n_dims, options->dim, dims, sizeof dims),
                         cli_dtype_name(options->dtype), size);
    /* The view is read only, although its pointer is not const. */
    fmc_array_init(&input->array, options->dtype, options->n_dims, options->dim, (void *)(uintptr_t)input->bytes.data);
    return true;
}
