/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_NN_VAE_H
#define FMC_NN_VAE_H

#include "nn/model.h"

/**
 * Decoding with architecture `vae`, docs/weights-format.md 4. Zone EXACT: integers alone, so the same values on every
 * machine, SIMD level and number of threads.
 *
 * A field of (T, H, W) samples has latents [latent][t][h][w] with t = ceil(T / 4), h = ceil(H / 16), w = ceil(W / 16), and
 * hyper-latents [hyper][t][ceil(h / 4)][ceil(w / 4)].
 */

/** Decoded samples are integers times 2 to the power of this. */
static inline int32_t fmc_vae_exponent(const fmc_model *m)
{
    return -(int32_t)m->n.output_frac;
}

/** Sites of the latents and hyper-latents of a field. */
typedef struct fmc_vae_shape {
    uint32_t dim[FMC_NET_AXES];    /* samples: t, y, x */
    uint32_t latent[FMC_NET_AXES];
    uint32_t hyper[FMC_NET_AXES];
    size_t   n_latents, n_hyper;   /* values, channels included */
    size_t   n_padded;             /* samples of whole patches */
} fmc_vae_shape;

/** @param dim  samples, each >= 1. @return FMC_OK, FMC_ERR_LIMIT if the sizes overflow. */
fmc_status fmc_vae_shape_make(const fmc_model *m, const uint32_t dim[FMC_NET_AXES], fmc_vae_shape *s);

/**
 * Means and scales of the latents from the symbols of the hyper-latents.
 * @param level  < m->n.levels
 * @param qz     [n_hyper]   @param mu [n_latents] in 1/16   @param index [n_latents] tables
 * @return FMC_OK, FMC_ERR_CORRUPT (symbols out of range), _NO_MEMORY, _LIMIT, _CANCELLED.
 */
fmc_status fmc_vae_hyper(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, const int32_t *qz,
                         int32_t *mu, uint8_t *index);

/**
 * The field from the symbols of the latents and their means.
 * @param qy, mu  [n_latents]
 * @param value   [dim[0]][dim[1]][dim[2]]: field scaled to mean 0 and standard deviation 1, in 2^-output_frac; |value| < 2^23
 */
fmc_status fmc_vae_synthesise(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s,
                              const int32_t *qy, const int32_t *mu, int32_t *value);

/** Write the symbols of hyper-latents and latents, each with its tables. @param mu, index  as fmc_vae_hyper gives them. */
fmc_status fmc_vae_write(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, const int32_t *qz,
                         const int32_t *qy, const uint8_t *index, fmc_out *out);

/** Read what fmc_vae_write wrote and synthesise the field. Untrusted bytes; *in is left behind the symbols. */
fmc_status fmc_vae_read(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, fmc_in *in,
                        int32_t *value);

/**
 * Latents and hyper-latents of a field before gains. Zone FREE, but the same values everywhere.
 * @param field  [dim[0]][dim[1]][dim[2]], mean 0 and standard deviation 1
 * @param y      [n_latents]   @param z [n_hyper]
 */
fmc_status fmc_vae_analyse(const fmc_exec *ex, const fmc_model *m, const fmc_vae_shape *s, const float *field, float *y, float *z);

/**
 * Symbols of one quality level, and what decoding makes of the hyper-latents (as fmc_vae_hyper).
 * Any floats give symbols that decode.
 */
fmc_status fmc_vae_quantise(const fmc_exec *ex, const fmc_model *m, uint32_t level, const fmc_vae_shape *s, const float *y,
                            const float *z, int32_t *qz, int32_t *qy, int32_t *mu, uint8_t *index);

#endif
