/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/signal.h"

#include "core/status.h"

/* Coefficients that a task turns back at a time. */
#define PIECE ((size_t)1 << 16)

fmc_status fmc_signal_alloc(const fmc_exec *ex, const fmc_signal *s, void **out)
{
    return fmc_alloc(ex->alloc, s->count, fmc_signal_sample(s), out);
}

fmc_status fmc_signal_forward(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data)
{
    return s->dtype == FMC_F64 ? fmc_tx_forward_f64(ex, plan, data) : fmc_tx_forward_f32(ex, plan, data);
}

fmc_status fmc_signal_inverse(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, void *data)
{
    return s->dtype == FMC_F64 ? fmc_tx_inverse_f64(ex, plan, data) : fmc_tx_inverse_f32(ex, plan, data);
}

fmc_status fmc_signal_quantise(const fmc_exec *ex, const fmc_signal *s, const fmc_band *band, size_t n_bands,
                               const void *c, const fmc_quantiser *z, uint32_t sampling, int32_t *q, double *error2)
{
    return s->dtype == FMC_F64 ? fmc_quantise_f64(ex, band, n_bands, c, z, sampling, q, error2)
                               : fmc_quantise_f32(ex, band, n_bands, c, z, sampling, q, error2);
}

fmc_status fmc_signal_centres(const fmc_exec *ex, const fmc_signal *s, const fmc_band *band, size_t n_bands,
                              const void *c, const int32_t *q, fmc_quantiser *z)
{
    return s->dtype == FMC_F64 ? fmc_quantise_centres_f64(ex, band, n_bands, c, q, z)
                               : fmc_quantise_centres_f32(ex, band, n_bands, c, q, z);
}

/* Dequantising piece by piece: a piece is what one task turns into coefficients and puts in place. */
typedef struct piece_job {
    fmc_exec             inner; /* the task's own: no threads within */
    const fmc_signal    *s;
    const fmc_tx_plan   *plan;
    const int32_t       *q;
    const fmc_quantiser *z;
    void                *layout;
    fmc_band            *piece;
} piece_job;

static fmc_status dequantise(const fmc_exec *ex, const fmc_signal *s, const fmc_band *band, size_t n_bands,
                             const int32_t *q, const fmc_quantiser *z, void *c)
{
    return s->dtype == FMC_F64 ? fmc_dequantise_f64(ex, band, n_bands, q, z, c)
                               : fmc_dequantise_f32(ex, band, n_bands, q, z, c);
}

static fmc_status dequantise_piece(void *user, uint32_t i)
{
    const piece_job *j = user;
    fmc_band b = j->piece[i];
    const int32_t *q = j->q + b.start;
    void *c = NULL;
    fmc_status st;

    b.start = 0;
    FMC_TRY(fmc_alloc(j->inner.alloc, b.count, fmc_signal_sample(j->s), &c));
    FMC_TRY(dequantise(&j->inner, j->s, &b, 1, q, j->z, c));
    if (j->s->dtype == FMC_F64)
        fmc_tx_unpack_f64(j->plan, &b, 1, c, j->layout);
    else
        fmc_tx_unpack_f32(j->plan, &b, 1, c, j->layout);
done:
    fmc_dealloc(j->inner.alloc, c);
    return st;
}

/* Cut a band along its slowest axis of the first three: centres depend on neighbours along the last two only. */
static size_t cut_band(const fmc_band *band, fmc_band *piece)
{
    uint32_t a = 0;
    size_t each, n = 0;

    while (a < 2 && band->dim[a] == 1)
        a++;
    each = PIECE / (band->count / band->dim[a]);
    each = each < 1 ? 1 : each;
    for (size_t at = 0; at < band->dim[a]; at += each, n++)
        if (piece) {
            const size_t m = band->dim[a] - at < each ? band->dim[a] - at : each;

            piece[n] = *band;
            piece[n].dim[a] = m;
            piece[n].origin[a] += at;
            piece[n].start += band->count / band->dim[a] * at;
            piece[n].count = band->count / band->dim[a] * m;
        }
    return n;
}

static fmc_status cut_bands(const fmc_exec *ex, const fmc_band *band, size_t n_bands, fmc_band **piece, size_t *n)
{
    fmc_status st;

    *n = 0;
    for (size_t i = 0; i < n_bands; i++)
        *n += band[i].count ? cut_band(&band[i], NULL) : 0;
    FMC_TRY(FMC_ALLOC(ex->alloc, *n, piece));
    *n = 0;
    for (size_t i = 0; i < n_bands; i++)
        *n += band[i].count ? cut_band(&band[i], *piece + *n) : 0;
done:
    return st;
}

typedef struct pack_job {
    const fmc_signal  *s;
    const fmc_tx_plan *plan;
    const fmc_band    *piece;
    const void        *layout;
    void              *packed;
} pack_job;

static fmc_status pack_piece(void *user, uint32_t i)
{
    const pack_job *j = user;

    if (j->s->dtype == FMC_F64)
        fmc_tx_pack_f64(j->plan, &j->piece[i], 1, j->layout, j->packed);
    else
        fmc_tx_pack_f32(j->plan, &j->piece[i], 1, j->layout, j->packed);
    return FMC_OK;
}

fmc_status fmc_signal_pack(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                           size_t n_bands, const void *layout, void *packed)
{
    pack_job j = { .s = s, .plan = plan, .layout = layout, .packed = packed };
    fmc_band *piece = NULL;
    size_t n;
    fmc_status st;

    FMC_TRY(cut_bands(ex, band, n_bands, &piece, &n));
    j.piece = piece;
    FMC_TRY(fmc_parallel_for(ex, (uint32_t)n, pack_piece, &j));
done:
    fmc_dealloc(ex->alloc, piece);
    return st;
}

fmc_status fmc_signal_dequantise(const fmc_exec *ex, const fmc_signal *s, const fmc_tx_plan *plan, const fmc_band *band,
                                 size_t n_bands, const int32_t *q, const fmc_quantiser *z, void *layout)
{
    piece_job j = { .inner = *ex, .s = s, .plan = plan, .q = q, .z = z, .layout = layout };
    size_t n;
    fmc_status st;

    if (n_bands == 1 && band->count == s->count)
        return dequantise(ex, s, band, 1, q, z, layout);
    FMC_TRY(cut_bands(ex, band, n_bands, &j.piece, &n));
    j.inner.n_threads = 1;
    j.inner.parallel_for = NULL;
    st = fmc_parallel_for(ex, (uint32_t)n, dequantise_piece, &j);
done:
    fmc_dealloc(ex->alloc, j.piece);
    return st;
}

static uint32_t unlike_axes(const fmc_signal *s)
{
    uint32_t unlike = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        unlike |= (uint32_t)(s->axis[a] == FMC_AXIS_UNLIKE) << a;
    return unlike;
}

fmc_status fmc_signal_predict_probe(const fmc_exec *ex, const fmc_signal *s, const void *x, const fmc_probe_goal *goal,
                                    uint32_t effort, double *step, fmc_interp_plan *plan)
{
    const uint32_t unlike = unlike_axes(s);

    return s->dtype == FMC_F64 ? fmc_interp_probe_f64(ex, s->rank, s->dim, x, goal, unlike, effort, step, plan)
                               : fmc_interp_probe_f32(ex, s->rank, s->dim, x, goal, unlike, effort, step, plan);
}

fmc_status fmc_signal_predict_look(const fmc_exec *ex, const fmc_signal *s, const void *x, const fmc_probe_goal *goal,
                                   uint32_t effort, double *step, fmc_interp_plan *plan)
{
    return s->dtype == FMC_F64 ? fmc_interp_look_f64(ex, x, goal, effort, step, plan)
                               : fmc_interp_look_f32(ex, x, goal, effort, step, plan);
}

fmc_status fmc_signal_predict_fit(const fmc_exec *ex, const fmc_signal *s, const void *x, double bound, uint32_t effort,
                                  fmc_interp_plan *plan)
{
    return s->dtype == FMC_F64 ? fmc_interp_fit_f64(ex, x, bound, effort, plan)
                               : fmc_interp_fit_f32(ex, x, bound, effort, plan);
}

fmc_status fmc_signal_predict_choose(const fmc_exec *ex, const fmc_signal *s, const void *x, double bound,
                                     uint32_t effort, fmc_interp_plan *plan)
{
    const uint32_t unlike = unlike_axes(s);

    return s->dtype == FMC_F64 ? fmc_interp_choose_f64(ex, s->rank, s->dim, x, bound, unlike, effort, plan)
                               : fmc_interp_choose_f32(ex, s->rank, s->dim, x, bound, unlike, effort, plan);
}

fmc_status fmc_signal_predict_encode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const void *x, double step, int32_t *q, void *recon)
{
    return s->dtype == FMC_F64 ? fmc_interp_encode_f64(ex, plan, x, step, q, recon)
                               : fmc_interp_encode_f32(ex, plan, x, step, q, recon);
}

fmc_status fmc_signal_predict_decode(const fmc_exec *ex, const fmc_signal *s, const fmc_interp_plan *plan,
                                     const int32_t *q, double step, void *recon)
{
    return s->dtype == FMC_F64 ? fmc_interp_decode_f64(ex, plan, q, step, recon)
                               : fmc_interp_decode_f32(ex, plan, q, step, recon);
}
