/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options as text: numbers, sizes, lists, regions, names. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool cli_parse_number(const char *text, double *out)
{
    char *end = NULL;
    if (text[0] == '\0')
        return false;
    *out = strtod(text, &end);
    return *end == '\0';
}

/* Decimal digits from *at on; moves *at behind them. */
static bool parse_digits(const char **at, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    const char *p = *at;
    for (; *p >= '0' && *p <= '9'; p++) {
        const uint64_t digit = (uint64_t)(*p - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (p == *at || value > max)
        return false;
    *at = p;
    *out = value;
    return true;
}

bool cli_parse_count(const char *text, uint64_t max, uint64_t *out)
{
    return max >= 9 && parse_digits(&text, max, out) && *text == '\0';
}

bool cli_parse_size(const char *text, double *out)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = { { "", 1 },    { "k", 1e3 },     { "K", 1e3 },     { "M", 1e6 },
                  { "G", 1e9 }, { "Ki", 0x1p10 }, { "Mi", 0x1p20 }, { "Gi", 0x1p30 } };
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || !(value > 0.0) || !isfinite(value))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].name) == 0) {
            *out = floor(value * units[i].factor);
            return *out >= 1.0;
        }
    return false;
}

bool cli_parse_counts(const char *text, uint64_t *out, uint32_t *n)
{
    for (*n = 0; *n < FMC_MAX_RANK; text++) {
        if (!parse_digits(&text, INT64_MAX, &out[*n]))
            return false;
        ++*n;
        if (*text == '\0')
            return true;
        if (*text != ',')
            return false;
    }
    return false;
}

/* Index of the word [text, text + length) in names[count], or count. */
static uint32_t find_word(const char *text, size_t length, const char *const *names, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && !(strlen(names[i]) == length && memcmp(names[i], text, length) == 0))
        i++;
    return i;
}

bool cli_parse_axes(const char *text, uint32_t *out, uint32_t *n)
{
    static const char *const names[] = { "auto", "smooth", "unlike", "periodic" }; /* order of enum fmc_axis_kind */
    for (*n = 0; *n < FMC_MAX_RANK; text++) {
        const size_t length = strcspn(text, ",");
        out[*n] = find_word(text, length, names, 4);
        if (out[*n] == 4)
            return false;
        ++*n;
        text += length;
        if (*text == '\0')
            return true;
    }
    return false;
}

bool cli_parse_coder(const char *text, uint32_t *out)
{
    static const char *const names[] = { "auto", "transform", "interp", "grid", "exact" }; /* order of enum fmc_coder */
    const bool is_learned = strncmp(text, "vae", 3) == 0 && (text[3] == '+' || text[3] == '\0');
    const char *rest = !is_learned ? text : text[3] ? text + 4 : "auto";
    *out = find_word(rest, strlen(rest), names, is_learned ? 3 : 5);
    if (strcmp(rest, "pca") == 0)
        *out = FMC_CODER_PCA;
    else if (*out >= (is_learned ? 3u : 5u))
        return false;
    *out |= is_learned ? FMC_CODER_VAE : 0;
    return true;
}

/* One of "3", "3:7", "3:", ":7", ":"; moves *at behind it. */
static bool parse_range(const char **at, cli_range *out)
{
    const bool has_start = **at != ':';
    *out = (cli_range){ .start = 0, .stop = UINT64_MAX };
    if (has_start && !parse_digits(at, INT64_MAX, &out->start))
        return false;
    if (**at != ':') {
        out->stop = out->start + 1;
        return true;
    }
    ++*at;
    if (**at == ',' || **at == '\0')
        return true;
    return parse_digits(at, INT64_MAX, &out->stop) && out->stop > out->start;
}

bool cli_parse_region(const char *text, cli_range *out, uint32_t *n)
{
    for (*n = 0; *n < FMC_MAX_RANK; text++) {
        if (!parse_range(&text, &out[*n]))
            return false;
        ++*n;
        if (*text == '\0')
            return true;
        if (*text != ',')
            return false;
    }
    return false;
}

bool cli_parse_scale(const char *text, uint32_t *scale_log2)
{
    static const char *const names[] = { "1", "1/2", "1/4", "1/8", "1/1" };
    const uint32_t i = find_word(text, strlen(text), names, 5);
    *scale_log2 = i & 3;
    return i < 5;
}
