/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TESTS_TUNED_H
#define FMC_TESTS_TUNED_H

/* weights/prior.fmcw with other biases in its last layer: as if tuned, for waves of small chunks even to some avail. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { TUNED_OUTPUTS = 16 };

static inline uint64_t tuned_get(const uint8_t *p, int width)
{
    uint64_t v = 0;

    while (width-- > 0)
        v = v << 8 | p[width];
    return v;
}

static inline void tuned_put(uint8_t *p, int width, uint64_t v)
{
    for (int i = 0; i < width; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Where the data of an array are in a file (docs/weights-format.md 1); 0: there is no such array. */
static inline size_t tuned_find(const uint8_t *file, const char *name)
{
    const uint8_t *arrays = NULL;
    uint64_t data = 0, n = 0;

    for (uint64_t i = 0; i < tuned_get(file + 24, 4); i++) {
        const uint8_t *s = file + 32 + 24 * i;

        if (!strcmp((const char *)s, "ARRAYS")) {
            arrays = file + tuned_get(s + 8, 8);
            n = tuned_get(s + 16, 8) / 88;
        }
        if (!strcmp((const char *)s, "DATA"))
            data = tuned_get(s + 8, 8);
    }
    for (uint64_t i = 0; i < n; i++, arrays += 88)
        if (!strcmp((const char *)arrays, name))
            return (size_t)(data + tuned_get(arrays + 68, 8));
    return 0;
}

/* The tuned file, to be freed; NULL: it is not there. */
static inline uint8_t *tuned_read(const char *path, size_t *size)
{
    enum { ROOM = 1 << 20 };
    uint8_t *file = malloc(ROOM), *bias, *shift;
    FILE *in = fopen(path, "rb");

    *size = in && file ? fread(file, 1, ROOM, in) : 0;
    if (in)
        fclose(in);
    if (*size < 32 || !tuned_find(file, "layer2/bias")) {
        free(file);
        return NULL;
    }
    bias = file + tuned_find(file, "layer2/bias");
    shift = file + tuned_find(file, "layer2/shift");
    for (int i = 0; i < TUNED_OUTPUTS; i++, bias += 4)
        if (i != 1)
            tuned_put(bias, 4, tuned_get(bias, 4) + (uint64_t)(int64_t)((i ? 300 : -400) * (1 << shift[i])));
    tuned_put(file + 16, 8, XXH64(file + 24, *size - 24, 0));
    return file;
}

#endif
