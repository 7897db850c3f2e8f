/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CLI_INPUT_H
#define FMC_CLI_INPUT_H

#include "cli.h"
#include "file.h"

/** An input array, wherever it came from. */
typedef struct cli_input {
    fmc_array array; /**< host byte order, any strides; data borrowed from bytes or owned */
    cli_bytes bytes; /**< of npy and raw inputs */
    void *owned;     /**< a converted copy, or NULL */
    bool has_fill;   /**< the file names a fill value */
    double fill;
} cli_input;

/** Open an .npy file, raw samples (-d given), or a netCDF/HDF5 variable FILE:VARIABLE. False after a message. */
bool cli_input_open(const char *path, const cli_options *options, cli_input *out);
void cli_input_close(cli_input *input);

/** What an .npy header says. */
typedef struct cli_npy {
    uint32_t dtype, rank;
    uint64_t dim[FMC_MAX_RANK];
    bool is_swapped; /**< samples in the other byte order */
    bool is_fortran;
    size_t offset; /**< of the first sample in the file */
} cli_npy;

bool cli_npy_is(const uint8_t *data, size_t size);
/** Parse untrusted bytes. @param name for messages. False after a message. */
bool cli_npy_parse(const char *name, const uint8_t *data, size_t size, cli_npy *out);
/** Make input->array from input->bytes, which holds an .npy file. */
bool cli_npy_open(const char *name, cli_input *input);
bool cli_npy_write(cli_output *output, const fmc_array *array);

/** Make input->array from input->bytes, which holds raw samples as the options describe. */
bool cli_raw_open(const char *name, const cli_options *options, cli_input *input);

/** Read a variable. @param path the file. @param variable its name or /group/name; "" lists what there is. */
bool cli_netcdf_open(const char *path, const char *variable, cli_input *input);

/** Bytes of one sample; 0 for an unknown type. */
size_t cli_dtype_size(uint32_t dtype);
/** Bytes of a C-order array of this shape; false if it fits in no size_t. */
bool cli_array_size(uint32_t dtype, uint32_t rank, const uint64_t *dim, size_t *size);
bool cli_array_is_c_order(const fmc_array *array);
/** A C-order copy of the array, or its own data if it is in C order already; *owned is what to free. NULL: no memory.
 */
const uint8_t *cli_array_pack(const fmc_array *array, void **owned);

#endif
