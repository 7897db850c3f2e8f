/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The .npy format (NumPy enhancement proposal 1, versions 1 to 3):
 *   "\x93NUMPY" major minor  header size (u16 in version 1, else u32)  header  samples
 * The header is a Python dict with exactly the keys descr, fortran_order and shape, as in
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (8, 256, 256), }
 */
#include "input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER_SIZE (1u << 20)

typedef struct npy_text {
    const char *at, *end;
} npy_text;

static bool is_big_endian(void)
{
    const uint16_t one = 1;
    uint8_t first = 0;
    memcpy(&first, &one, 1);
    return first == 0;
}

static void skip_space(npy_text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t' || *t->at == '\r'))
        t->at++;
}

/* Whether the next token is c; takes it if so. */
static bool take(npy_text *t, char c)
{
    skip_space(t);
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

static bool take_word(npy_text *t, const char *word)
{
    const size_t length = strlen(word);
    skip_space(t);
    if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length) != 0)
        return false;
    t->at += length;
    return true;
}

/* A quoted string into text[size]. */
static bool take_string(npy_text *t, char *text, size_t size)
{
    size_t n = 0;
    const char quote = take(t, '\'') ? '\'' : take(t, '"') ? '"' : '\0';
    if (!quote)
        return false;
    for (; t->at < t->end && *t->at != quote; t->at++) {
        if (n + 1 >= size || *t->at == '\\')
            return false;
        text[n++] = *t->at;
    }
    text[n] = '\0';
    return take(t, quote);
}

static bool take_extent(npy_text *t, uint64_t *out)
{
    skip_space(t);
    const char *first = t->at;
    for (*out = 0; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        if (*out > (uint64_t)INT64_MAX / 10 - 1)
            return false;
        *out = *out * 10 + (uint64_t)(*t->at - '0');
    }
    return t->at > first;
}

static bool take_shape(const char *name, npy_text *t, cli_npy *out)
{
    if (!take(t, '('))
        return cli_error("%s: damaged .npy header: shape is no tuple", name);
    out->rank = 0;
    while (!take(t, ')')) {
        if (out->rank == FMC_MAX_RANK)
            return cli_error("%s: has more than %d axes; merge some with array.reshape", name, FMC_MAX_RANK);
        if (!take_extent(t, &out->dim[out->rank++]))
            return cli_error("%s: damaged .npy header: bad extent", name);
        if (take(t, ','))
            continue;
        if (!take(t, ')'))
            return cli_error("%s: damaged .npy header: bad shape", name);
        break;
    }
    return out->rank > 0 || cli_error("%s: is a single number; store it as array.reshape(1)", name);
}

/* @param kind the type without its byte order, such as "i4" */
static bool refuse_dtype(const char *name, const char *kind)
{
    switch (kind[0]) {
    case 'f':
        return cli_error("%s: samples are %s; convert them with array.astype('f4')", name,
                         strcmp(kind, "f2") == 0 ? "float16" : kind);
    case 'i':
    case 'u':
    case 'b':
        return cli_error("%s: samples are integers (%s); convert them with array.astype('f4') or ('f8')", name, kind);
    case 'c':
        return cli_error("%s: samples are complex (%s); store array.view('f4' or 'f8') with a further axis of 2", name,
                         kind);
    default:
        return cli_error("%s: samples are of type '%s'; only float32 and float64 are compressed", name, kind);
    }
}

static bool take_descr(const char *name, npy_text *t, cli_npy *out)
{
    char descr[64];
    skip_space(t);
    if (t->at < t->end && *t->at == '[')
        return cli_error("%s: is a structured array; save each of its float fields alone", name);
    if (!take_string(t, descr, sizeof descr))
        return cli_error("%s: damaged .npy header: bad descr", name);
    const bool has_order = descr[0] != '\0' && strchr("<>=|", descr[0]) != NULL;
    const char *kind = descr + has_order;
    if (strcmp(kind, "f4") != 0 && strcmp(kind, "f8") != 0)
        return refuse_dtype(name, kind);
    out->dtype = kind[1] == '4' ? FMC_F32 : FMC_F64;
    out->is_swapped = descr[0] == (is_big_endian() ? '<' : '>');
    return true;
}

static bool take_entry(const char *name, npy_text *t, cli_npy *out, unsigned *seen)
{
    char key[32];
    unsigned bit = 0;
    if (!take_string(t, key, sizeof key) || !take(t, ':'))
        return cli_error("%s: damaged .npy header", name);
    bit = strcmp(key, "descr") == 0 ? 1 : strcmp(key, "fortran_order") == 0 ? 2 : strcmp(key, "shape") == 0 ? 4 : 0;
    if (bit == 0 || (*seen & bit))
        return cli_error("%s: damaged .npy header: unexpected '%s'", name, key);
    *seen |= bit;
    if (bit == 1)
        return take_descr(name, t, out);
    if (bit == 4)
        return take_shape(name, t, out);
    out->is_fortran = take_word(t, "True");
    return out->is_fortran || take_word(t, "False") || cli_error("%s: damaged .npy header: fortran_order", name);
}

static bool parse_header(const char *name, npy_text t, cli_npy *out)
{
    unsigned seen = 0;
    if (!take(&t, '{'))
        return cli_error("%s: damaged .npy header", name);
    while (!take(&t, '}')) {
        if (!take_entry(name, &t, out, &seen))
            return false;
        if (take(&t, ','))
            continue;
        if (!take(&t, '}'))
            return cli_error("%s: damaged .npy header", name);
        break;
    }
    return seen == 7 || cli_error("%s: damaged .npy header: descr, fortran_order or shape is missing", name);
}

bool cli_npy_is(const uint8_t *data, size_t size)
{
    return size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0;
}

/* Size of the header's text and where it starts. */
static bool parse_prefix(const char *name, const uint8_t *data, size_t size, size_t *start, size_t *length)
{
    if (!cli_npy_is(data, size))
        return cli_error("%s: is no .npy file", name);
    if (size < 12)
        return cli_error("%s: the .npy file is cut off in its header", name);
    if (data[6] < 1 || data[6] > 3)
        return cli_error("%s: .npy version %u is unknown; save it anew", name, data[6]);
    *start = data[6] == 1 ? 10 : 12;
    *length = (size_t)data[8] | (size_t)data[9] << 8;
    if (data[6] > 1)
        *length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
    if (*length > MAX_HEADER_SIZE)
        return cli_error("%s: damaged .npy header: %zu bytes long", name, *length);
    return *length <= size - *start || cli_error("%s: the .npy file is cut off in its header", name);
}

bool cli_npy_parse(const char *name, const uint8_t *data, size_t size, cli_npy *out)
{
    size_t start = 0, length = 0, wanted = 0;
    *out = (cli_npy){ 0 };
    if (!parse_prefix(name, data, size, &start, &length))
        return false;
    const char *text = (const char *)data + start;
    if (!parse_header(name, (npy_text){ text, text + length }, out))
        return false;
    out->offset = start + length;
    if (!cli_array_size(out->dtype, out->rank, out->dim, &wanted))
        return cli_error("%s: the .npy header describes more samples than memory can hold", name);
    if (wanted > size - out->offset)
        return cli_error("%s: is cut off: its header promises %zu bytes of samples, %zu are there", name, wanted,
                         size - out->offset);
    return true;
}

static void copy_swapped(uint8_t *dst, const uint8_t *src, size_t size, size_t width)
{
    for (size_t i = 0; i < size; i += width)
        for (size_t k = 0; k < width; k++)
            dst[i + k] = src[i + width - 1 - k];
}

static void set_fortran_strides(fmc_array *array)
{
    int64_t step = (int64_t)cli_dtype_size(array->dtype);
    for (uint32_t a = 0; a < array->rank; a++) {
        array->stride[a] = step;
        step *= (int64_t)array->dim[a];
    }
}

bool cli_npy_open(const char *name, cli_input *input)
{
    cli_npy npy;
    size_t size = 0;
    if (!cli_npy_parse(name, input->bytes.data, input->bytes.size, &npy))
        return false;
    (void)cli_array_size(npy.dtype, npy.rank, npy.dim, &size); /* parse checked it */
    const uint8_t *samples = input->bytes.data + npy.offset;
    if (npy.is_swapped && size > 0) {
        input->owned = malloc(size);
        if (!input->owned)
            return cli_error("%s: does not fit in memory", name);
        copy_swapped(input->owned, samples, size, cli_dtype_size(npy.dtype));
        samples = input->owned;
    }
    /* The view is read only, although its pointer is not const. */
    fmc_array_init(&input->array, npy.dtype, npy.rank, npy.dim, (void *)(uintptr_t)samples);
    if (npy.is_fortran)
        set_fortran_strides(&input->array);
    return true;
}

bool cli_npy_write(cli_output *output, const fmc_array *array)
{
    char head[256];
    char shape[128] = "";
    size_t used = 0, size = 0;
    for (uint32_t a = 0; a < array->rank; a++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%" PRIu64, a ? ", " : "", array->dim[a]);
    const int n =
        snprintf(head, sizeof head, "{'descr': '%cf%zu', 'fortran_order': False, 'shape': (%s%s), }",
                 is_big_endian() ? '>' : '<', cli_dtype_size(array->dtype), shape, array->rank == 1 ? "," : "");
    const size_t length = ((size_t)n + 1 + 10 + 63) / 64 * 64 - 10; /* samples begin at a multiple of 64 */
    memset(head + n, ' ', length - (size_t)n);
    head[length - 1] = '\n';
    const uint8_t prefix[10] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (uint8_t)length, (uint8_t)(length >> 8) };
    (void)cli_array_size(array->dtype, array->rank, array->dim, &size); /* it is in memory already */
    return cli_output_write(output, prefix, sizeof prefix) && cli_output_write(output, head, length) &&
           cli_output_write(output, array->data, size);
}
