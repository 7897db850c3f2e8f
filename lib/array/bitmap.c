/* SPDX-License-Identifier: Apache-2.0 */
#include "array/bitmap.h"

#include <string.h>
#include "core/compiler.h"
#include "core/status.h"
#include "entropy/binary.h"
#include "entropy/mixer.h"

/*
 * Below, a sample is "set" if its class is 1..k and "known" if its class is 1..k-1. Only samples that are not known
 * are coded; contexts see the set ones, so that a class is coded against the outline of the classes before it.
 *
 * Row buffers hold one byte (0 or 1) per sample with two zeros on either side: rows[0] is the current row, [1] and [2]
 * the two above, [3], [4], [5] the reference plane's row, the one above and the one below.
 */
enum { PAD = 2, N_ROWS = 6, INTRA_BITS = 10, INTER_BITS = 11, MAX_LEAD = FMC_MAX_RANK - 2, MEMORY = 255 };
/* Sizes that stand for an empty and a full class. */
enum { SIZE_NONE = 0, SIZE_ALL = 1, SIZE_CODED = 2 };

typedef struct bitmap_model {
    fmc_prob same[MAX_LEAD][2]; /* plane equals its neighbour along a leading axis; by the last such answer */
    fmc_prob refer[MAX_LEAD];   /* plane is coded with that neighbour as reference */
    fmc_prob typical[2][2];     /* row equals its prediction; by kind of plane and last answer */
    fmc_prob intra[1 << INTRA_BITS];
    fmc_prob inter[1 << INTER_BITS];
} bitmap_model;

typedef struct bitmap_coder {
    size_t        w, h, n_planes;
    uint32_t      n_lead;
    size_t        lead_dim[MAX_LEAD];  /* slowest first */
    size_t        lead_step[MAX_LEAD]; /* in planes */
    uint8_t       k;
    uint8_t      *rows[N_ROWS];
    uint8_t      *row_memory;
    bitmap_model *model;
    unsigned      last_same[MAX_LEAD];
    unsigned      last_typical[2];
    fmc_enc       enc;
    fmc_dec       dec;
    int           is_decoder;
} bitmap_coder;

static unsigned is_set(uint8_t cls, uint8_t k)
{
    return (uint8_t)(cls - 1) < k;
}

static unsigned is_known(uint8_t cls, uint8_t k)
{
    return (uint8_t)(cls - 1) < (uint8_t)(k - 1);
}

/* Code or decode one decision. */
FMC_ALWAYS_INLINE unsigned code_bit(bitmap_coder *c, fmc_prob *p, unsigned bit, int is_decoder)
{
    if (is_decoder)
        bit = fmc_dec_bit(&c->dec, fmc_prob_p16(*p));
    else
        fmc_enc_bit(&c->enc, bit, fmc_prob_p16(*p));
    fmc_prob_update(p, bit, MEMORY);
    return bit;
}

static void set_geometry(bitmap_coder *c, uint32_t rank, const size_t *dim)
{
    size_t d[FMC_MAX_RANK], step = 1;
    uint32_t r = 0;

    for (uint32_t i = 0; i < rank; i++)
        if (dim[i] != 1)
            d[r++] = dim[i];
    c->w = r > 0 ? d[r - 1] : 1;
    c->h = r > 1 ? d[r - 2] : 1;
    c->n_lead = r > 2 ? r - 2 : 0;
    for (uint32_t i = c->n_lead; i-- > 0;) {
        c->lead_dim[i] = d[i];
        c->lead_step[i] = step;
        step *= d[i];
    }
    c->n_planes = step;
}

static fmc_status open_coder(const fmc_exec *ex, uint32_t rank, const size_t *dim, uint8_t k, bitmap_coder *c)
{
    fmc_status st = FMC_OK;
    fmc_prob *p;

    memset(c, 0, sizeof *c);
    set_geometry(c, rank, dim);
    c->k = k;
    FMC_TRY(FMC_ALLOC(ex->alloc, 1, &c->model));
    FMC_TRY(fmc_alloc_zero(ex->alloc, c->w + 2 * PAD, N_ROWS, (void **)&c->row_memory));
    for (int i = 0; i < N_ROWS; i++)
        c->rows[i] = c->row_memory + (size_t)i * (c->w + 2 * PAD) + PAD;
    p = (fmc_prob *)c->model;
    for (size_t i = 0; i < sizeof *c->model / sizeof *p; i++)
        p[i] = FMC_PROB_INIT;
done:
    return st;
}

static void close_coder(const fmc_exec *ex, bitmap_coder *c)
{
    fmc_dealloc(ex->alloc, c->model);
    fmc_dealloc(ex->alloc, c->row_memory);
}

/* Neighbour of plane p along leading axis `axis`; false on the edge. */
static int plane_before(const bitmap_coder *c, size_t p, uint32_t axis, size_t *before)
{
    if (p / c->lead_step[axis] % c->lead_dim[axis] == 0)
        return 0;
    *before = p - c->lead_step[axis];
    return 1;
}

static void load_row(const bitmap_coder *c, const uint8_t *cls, uint8_t *row)
{
    for (size_t x = 0; x < c->w; x++)
        row[x] = (uint8_t)is_set(cls[x], c->k);
}

static void swap_rows(bitmap_coder *c, int a, int b)
{
    uint8_t *t = c->rows[a];

    c->rows[a] = c->rows[b];
    c->rows[b] = t;
}

/* Make rows[] show row y: what was the current row moves up. */
static void begin_row(bitmap_coder *c, const uint8_t *ref, size_t y)
{
    const size_t w = c->w;

    swap_rows(c, 2, 1);
    swap_rows(c, 1, 0);
    if (y == 0) {
        memset(c->rows[1], 0, w);
        memset(c->rows[2], 0, w);
    }
    if (!ref)
        return;
    if (y == 0) {
        load_row(c, ref, c->rows[3]);
        memset(c->rows[4], 0, w);
    } else {
        swap_rows(c, 4, 3);
        swap_rows(c, 3, 5);
    }
    if (y + 1 < c->h)
        load_row(c, ref + (y + 1) * w, c->rows[5]);
    else
        memset(c->rows[5], 0, w);
}

/* Take over a predicted row or plane: where the prediction is set and nothing is known, the class is k. */
static void fill_from(const bitmap_coder *c, uint8_t *cls, const uint8_t *pred, size_t n, uint8_t pred_k)
{
    for (size_t x = 0; x < n; x++)
        if (cls[x] == 0 && is_set(pred[x], pred_k))
            cls[x] = c->k;
}

/*
 * One row, sample by sample. Contexts are windows that slide along the rows: w0 the two samples before this one, w1 the
 * row above, w2 the one above that, f0, f1, f2 the reference plane's row and its neighbours.
 */
FMC_ALWAYS_INLINE void code_samples(bitmap_coder *c, const uint8_t *cls, uint8_t *to, int has_ref, int is_decoder)
{
    uint8_t *r0 = c->rows[0];
    const uint8_t *r1 = c->rows[1], *r2 = c->rows[2], *f0 = c->rows[3], *f1 = c->rows[4], *f2 = c->rows[5];
    const uint8_t k = c->k;
    unsigned w0 = 0, w1 = has_ref ? r1[0] : (unsigned)(r1[0] << 1 | r1[1]), w2 = r2[0], wf = f0[0];

    for (size_t x = 0; x < c->w; x++) {
        unsigned bit = 1;
        fmc_prob *p;

        if (has_ref) {
            w1 = (w1 << 1 | r1[x + 1]) & 7;
            wf = (wf << 1 | f0[x + 1]) & 7;
            p = &c->model->inter[w0 | w1 << 2 | (unsigned)r2[x] << 5 | wf << 6 | (unsigned)f1[x] << 9 |
                                 (unsigned)f2[x] << 10];
        } else {
            w1 = (w1 << 1 | r1[x + 2]) & 31;
            w2 = (w2 << 1 | r2[x + 1]) & 7;
            p = &c->model->intra[w0 | w1 << 2 | w2 << 7];
        }
        if (!is_known(cls[x], k)) {
            bit = code_bit(c, p, r0[x], is_decoder);
            if (is_decoder && bit)
                to[x] = k;
        }
        if (is_decoder)
            r0[x] = (uint8_t)bit;
        w0 = (w0 << 1 | bit) & 3;
    }
}

static void encode_row(bitmap_coder *c, const uint8_t *cls, int has_ref)
{
    unsigned typical;

    load_row(c, cls, c->rows[0]);
    typical = memcmp(c->rows[0], has_ref ? c->rows[3] : c->rows[1], c->w) == 0;
    code_bit(c, &c->model->typical[has_ref][c->last_typical[has_ref]], typical, 0);
    c->last_typical[has_ref] = typical;
    if (typical)
        return;
    if (has_ref)
        code_samples(c, cls, NULL, 1, 0);
    else
        code_samples(c, cls, NULL, 0, 0);
}

static void decode_row(bitmap_coder *c, uint8_t *cls, int has_ref)
{
    const unsigned typical = code_bit(c, &c->model->typical[has_ref][c->last_typical[has_ref]], 0, 1);

    c->last_typical[has_ref] = typical;
    if (typical) {
        fill_from(c, cls, has_ref ? c->rows[3] : c->rows[1], c->w, 1);
        load_row(c, cls, c->rows[0]);
    } else if (has_ref) {
        code_samples(c, cls, cls, 1, 1);
    } else {
        code_samples(c, cls, cls, 0, 1);
    }
}

static void code_plane(bitmap_coder *c, const uint8_t *cls, uint8_t *to, const uint8_t *ref)
{
    for (size_t y = 0; y < c->h; y++) {
        begin_row(c, ref, y);
        if (to)
            decode_row(c, to + y * c->w, ref != NULL);
        else
            encode_row(c, cls + y * c->w, ref != NULL);
    }
}

static size_t count_differences(const uint8_t *a, const uint8_t *b, size_t n, uint8_t k)
{
    size_t d = 0;

    for (size_t i = 0; i < n; i++)
        d += is_set(a[i], k) != is_set(b[i], k);
    return d;
}

/* Changes along rows and columns: about what a plane without reference costs, in bits. */
static size_t count_edges(const bitmap_coder *c, const uint8_t *cls)
{
    size_t edges = 0;

    for (size_t y = 0; y < c->h; y++, cls += c->w) {
        edges += count_differences(cls, cls + 1, c->w - 1, c->k);
        if (y > 0)
            edges += count_differences(cls, cls - c->w, c->w, c->k);
    }
    return edges;
}

/* Encoder's choice of reference: leading axis, n_lead for none; *same if the planes are equal. */
static uint32_t choose_reference(const bitmap_coder *c, const uint8_t *all, size_t p, unsigned *same)
{
    const size_t plane = c->w * c->h;
    const uint8_t *cls = all + p * plane;
    size_t least = SIZE_MAX, before;
    uint32_t best = c->n_lead;

    *same = 0;
    for (uint32_t a = 0; a < c->n_lead && least > 0; a++) {
        size_t d;

        if (!plane_before(c, p, a, &before))
            continue;
        d = count_differences(cls, all + before * plane, plane, c->k);
        if (d < least) {
            least = d;
            best = a;
        }
    }
    if (best < c->n_lead && least > 0 && least > count_edges(c, cls))
        return c->n_lead;
    *same = best < c->n_lead && least == 0;
    return best;
}

/* One plane: flags "equal to the neighbour along axis a", else flags "with that neighbour as reference", else alone. */
static void code_next(bitmap_coder *c, const uint8_t *all, uint8_t *to, size_t p)
{
    const size_t plane = c->w * c->h;
    const uint8_t *cls = all + p * plane, *ref = NULL;
    uint32_t choice = c->n_lead;
    unsigned same = 0;
    size_t before = 0;

    if (!c->is_decoder && c->n_lead > 0)
        choice = choose_reference(c, all, p, &same);
    for (uint32_t a = 0; a < c->n_lead; a++) {
        unsigned hit;

        if (!plane_before(c, p, a, &before))
            continue;
        hit = code_bit(c, &c->model->same[a][c->last_same[a]], same && a == choice, c->is_decoder);
        c->last_same[a] = hit;
        if (hit) {
            if (c->is_decoder)
                fill_from(c, to + p * plane, all + before * plane, plane, c->k);
            return;
        }
    }
    for (uint32_t a = 0; a < c->n_lead && !ref; a++)
        if (plane_before(c, p, a, &before) && code_bit(c, &c->model->refer[a], a == choice, c->is_decoder))
            ref = all + before * plane;
    code_plane(c, cls, to ? to + p * plane : NULL, ref);
}

/* SIZE_NONE, SIZE_ALL or SIZE_CODED. */
static unsigned classify(const uint8_t *cls, size_t n, uint8_t k)
{
    size_t ones = 0, zeros = 0;

    for (size_t i = 0; i < n; i++) {
        ones += cls[i] == k;
        zeros += !is_set(cls[i], k);
    }
    return ones == 0 ? SIZE_NONE : zeros == 0 ? SIZE_ALL : SIZE_CODED;
}

fmc_status fmc_bitmap_encode(const fmc_exec *ex, uint32_t rank, const size_t *dim, const uint8_t *cls, uint8_t k,
                             fmc_out *out)
{
    fmc_status st = FMC_OK;
    bitmap_coder c = { 0 };
    fmc_out bytes = fmc_out_make(ex->alloc);
    size_t n = 1;
    unsigned kind;

    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    kind = classify(cls, n, k);
    if (kind != SIZE_CODED) {
        fmc_out_varint(out, kind);
        return out->st;
    }
    FMC_TRY(open_coder(ex, rank, dim, k, &c));
    fmc_enc_init(&c.enc, &bytes);
    for (size_t p = 0; p < c.n_planes; p++) {
        if (fmc_is_cancelled(ex)) {
            st = FMC_ERR_CANCELLED;
            goto done;
        }
        code_next(&c, cls, NULL, p);
    }
    fmc_enc_finish(&c.enc);
    FMC_TRY(bytes.st);
    fmc_out_varint(out, SIZE_CODED + (uint64_t)bytes.size);
    fmc_out_bytes(out, bytes.data, bytes.size);
    st = out->st;
done:
    close_coder(ex, &c);
    fmc_out_fini(&bytes);
    return st;
}

static fmc_status decode_planes(const fmc_exec *ex, bitmap_coder *c, uint8_t *cls)
{
    for (size_t p = 0; p < c->n_planes; p++) {
        if (fmc_is_cancelled(ex))
            return FMC_ERR_CANCELLED;
        code_next(c, cls, cls, p);
    }
    return fmc_dec_finish(&c->dec);
}

fmc_status fmc_bitmap_decode(const fmc_exec *ex, uint32_t rank, const size_t *dim, uint8_t *cls, uint8_t k,
                             fmc_in *in)
{
    const uint64_t kind = fmc_in_varint(in);
    fmc_status st = fmc_in_status(in);
    bitmap_coder c = { 0 };
    const uint8_t *data;
    size_t n = 1;

    if (st != FMC_OK || kind == SIZE_NONE)
        return st;
    for (uint32_t i = 0; i < rank; i++)
        n *= dim[i];
    if (kind == SIZE_ALL) {
        for (size_t i = 0; i < n; i++)
            cls[i] = cls[i] ? cls[i] : k;
        return FMC_OK;
    }
    data = fmc_in_bytes(in, kind - SIZE_CODED);
    if (!data)
        return FMC_ERR_TRUNCATED;
    FMC_TRY(open_coder(ex, rank, dim, k, &c));
    c.is_decoder = 1;
    fmc_dec_init(&c.dec, data, (size_t)(kind - SIZE_CODED));
    st = decode_planes(ex, &c, cls);
done:
    close_coder(ex, &c);
    return st;
}
