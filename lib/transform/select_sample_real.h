/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling for one real type; REAL, NAME(x) and KERNEL(k, x) defined. */

/* Sum in eight parts. */
static double NAME(sum_of)(const REAL *x, size_t n)
{
    double p[8] = { 0 };
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            p[k] += (double)x[i + k];
    for (; i < n; i++)
        p[0] += (double)x[i];
    return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
}

/* Add to n sums of 2^shift neighbours each. */
static void NAME(add_row)(const REAL *restrict x, size_t n, size_t shift, REAL *restrict sum)
{
    if (shift == 0)
        for (size_t i = 0; i < n; i++)
            sum[i] += x[i];
    else
        for (size_t i = 0; i < n; i++) {
            REAL v = 0;

            for (size_t k = 0; k < (size_t)1 << shift; k++)
                v += x[(i << shift) + k];
            sum[i] += v;
        }
}

/* One row of a box of means: the sum over all rows of the block that begins at x. @param rows  of a block. */
static void NAME(crop_row)(const fmc_tx_search *s, const fmc_lines *rows, const REAL *x, size_t n, REAL *to)
{
    const size_t shift = s->shift[s->rank - 1];

    if (rows->count == 1 && shift == 0) {
        memcpy(to, x, n * sizeof *to);
        return;
    }
    memset(to, 0, n * sizeof *to);
    for (size_t r = 0; r < rows->count; r++) {
        size_t off;

        fmc_lines_offsets(rows, r, 1, &off);
        NAME(add_row)(x + off, n, shift, to);
    }
}

/* A box being copied: rows are tasks in pieces, each with the sum of its samples. */
typedef struct NAME(crop_job) {
    const fmc_tx_search *s;
    const REAL          *x;
    const size_t        *at, *box;
    fmc_lines            rows, within;
    size_t               per_piece;
    double              *sum;
    REAL                *to, mean, gain;
} NAME(crop_job);

static fmc_status NAME(crop_piece)(void *user, uint32_t i)
{
    const NAME(crop_job) *j = user;
    const fmc_tx_search *s = j->s;
    const uint32_t last = s->rank - 1;
    const size_t first = i * j->per_piece, end = j->rows.count - first < j->per_piece ? j->rows.count : first + j->per_piece;
    double sum = 0;

    for (size_t r = first; r < end; r++) {
        REAL *to = j->to + r * j->rows.n;
        size_t base = 0, left = r, index[FMC_MAX_RANK] = { 0 };

        for (uint32_t a = last; a-- > 0; left /= j->box[a])
            index[a] = left % j->box[a];
        for (uint32_t a = 0; a < s->rank; a++)
            base = base * s->dim[a] + ((j->at[a] + index[a]) << s->shift[a]);
        NAME(crop_row)(s, &j->within, j->x + base, j->rows.n, to);
        sum += NAME(sum_of)(to, j->rows.n);
    }
    j->sum[i] = sum;
    return FMC_OK;
}

static fmc_status NAME(centre_piece)(void *user, uint32_t i)
{
    const NAME(crop_job) *j = user;
    const size_t first = i * j->per_piece, end = j->rows.count - first < j->per_piece ? j->rows.count : first + j->per_piece;

    for (size_t k = first * j->rows.n; k < end * j->rows.n; k++)
        j->to[k] = (j->to[k] - j->mean) * j->gain;
    return FMC_OK;
}

/* Copy a box of x as it is judged that begins at `at`, less the mean of the copy. */
static fmc_status NAME(crop)(const fmc_tx_search *s, const REAL *x, const size_t *at, const size_t *box, REAL *to)
{
    const uint32_t last = s->rank - 1;
    double sums[CROP_PIECES], sum = 0, gain = 1;
    size_t block[FMC_MAX_RANK];
    NAME(crop_job) j = { .s = s, .x = x, .at = at, .box = box, .sum = sums, .to = to };
    uint32_t n;
    fmc_status st;

    for (uint32_t a = 0; a < s->rank; a++) {
        block[a] = (size_t)1 << s->shift[a];
        gain *= sqrt(1 / (double)block[a]);
    }
    j.rows = fmc_lines_make(s->rank, s->seen, box, last);
    j.within = fmc_lines_make(s->rank, s->dim, block, last);
    j.gain = (REAL)gain;
    n = 1 + (uint32_t)(j.rows.count * j.rows.n / CROP_PIECE);
    n = n < CROP_PIECES ? n : CROP_PIECES;
    j.per_piece = (j.rows.count + n - 1) / n;
    n = (uint32_t)((j.rows.count + j.per_piece - 1) / j.per_piece);
    FMC_TRY(fmc_parallel_for(s->ex, n, NAME(crop_piece), &j));
    for (uint32_t i = 0; i < n; i++)
        sum += sums[i];
    j.mean = (REAL)(sum / (double)(j.rows.count * j.rows.n));
    FMC_TRY(fmc_parallel_for(s->ex, n, NAME(centre_piece), &j));
done:
    return st;
}

/* Mean square distance of samples from the means of blocks of 2^shift along an axis, over some pieces of lines. */
static double NAME(detail)(const fmc_tx_search *s, const REAL *x, uint32_t axis, size_t shift)
{
    const fmc_lines lines = fmc_lines_make(s->rank, s->dim, s->dim, axis);
    const size_t block = (size_t)1 << shift, n_blocks = lines.n >> shift;
    double sum = 0;

    for (size_t i = 0; i < N_DETAILS; i++) {
        const size_t line = (size_t)(((uint64_t)i * 2654435761u) % lines.count), k = i * 7919 % n_blocks;
        double mean = 0, square = 0;
        const REAL *v;
        size_t off;

        fmc_lines_offsets(&lines, line, 1, &off);
        v = x + off + k * block * lines.stride;
        for (size_t j = 0; j < block; j++)
            mean += (double)v[j * lines.stride] / (double)block;
        for (size_t j = 0; j < block; j++) {
            const double d = (double)v[j * lines.stride] - mean;

            square += d * d;
        }
        sum += square / (double)block;
    }
    return sum / N_DETAILS;
}

/* Judge long axes by means of neighbours, as long as what that loses is far below the error aimed at. */
void NAME(fmc_tx_find_shifts)(fmc_tx_search *s, const REAL *x)
{
    double lost = 0;

    for (uint32_t a = 0; a < s->rank; a++) {
        double here = 0;

        for (size_t shift = 1; shift <= MAX_SHIFT && s->dim[a] >> shift >= MIN_SEEN; shift++) {
            const double d = NAME(detail)(s, x, a, shift) / (s->rmse * s->rmse);

            if (!(d < most_lost && lost + d < most_lost_all))
                break;
            s->allowed[a][FMC_TX_KLT] = 0; /* neighbours are alike: D does as well */
            s->shift[a] = shift;
            here = d;
        }
        lost += here;
    }
    fmc_tx_set_seen(s, lost);
}

/*
 * Neighbours across the ends resemble each other as much as others: second differences, over some lines. Where little happens in most
 * places, it may happen at the ends: a little more than anywhere else will do.
 */
int NAME(fmc_tx_is_periodic)(const fmc_tx_search *s, uint32_t axis, const REAL *x)
{
    const fmc_lines lines = fmc_lines_make(s->rank, s->dim, s->dim, axis);
    const size_t n = lines.n, wanted = lines.count < 256 ? lines.count : 256;
    double across = 0, inside[SEAM_PLACES] = { 0 }, sum = 0, most = 0;

    if (n < 16)
        return 0;
    for (size_t l = 0; l < wanted; l++) {
        size_t off;
        const REAL *v;

        fmc_lines_offsets(&lines, lines.count * l / wanted, 1, &off);
        v = x + off;
        across += fabs((double)v[0] - 2 * (double)v[(n - 1) * lines.stride] + (double)v[(n - 2) * lines.stride]);
        for (size_t i = 0; i < SEAM_PLACES; i++) {
            const REAL *w = v + (1 + (n - 3) * i / (SEAM_PLACES - 1)) * lines.stride;

            inside[i] += fabs((double)w[lines.stride] - 2 * (double)w[0] + (double)*(w - lines.stride));
        }
    }
    for (size_t i = 0; i < SEAM_PLACES; i++) {
        sum += inside[i];
        most = inside[i] > most ? inside[i] : most;
    }
    return across < 1.5 * sum / SEAM_PLACES || across < 1.25 * most;
}

/* How much happens in a box: squared differences along some of its rows, and to the next ones of the array. */
static double NAME(activity)(const fmc_tx_search *s, const REAL *x, const size_t *at, const size_t *box)
{
    const fmc_lines rows = fmc_lines_make(s->rank, s->dim, box, s->rank - 1);
    const size_t n = rows.n, across = s->rank > 1 ? s->dim[s->rank - 1] : 0;
    const fmc_kernels *k = fmc_kernels_get(s->ex);
    size_t base = 0;
    double sum = 0;

    for (uint32_t a = 0; a < s->rank; a++)
        base = base * s->dim[a] + at[a];
    for (size_t r = 0; r < rows.count; r++) {
        size_t off;
        const REAL *v;

        fmc_lines_offsets(&rows, r, 1, &off);
        v = x + base + off;
        sum += KERNEL(k, error_sum)(v + 1, v, n - 1);
        if (base + off + across + n <= s->count)
            sum += KERNEL(k, error_sum)(v + across, v, n);
    }
    return sum;
}

/* Places all over the array, the ones where most happens first. */
void NAME(fmc_tx_find_places)(fmc_tx_search *s, const REAL *x)
{
    double happens[FMC_TX_PLACES];
    size_t box[FMC_MAX_RANK];

    for (uint32_t a = 0; a < s->rank; a++) {
        const size_t wanted = a + 1 == s->rank ? 32 : a + 3 >= s->rank ? 4 : 1;

        box[a] = s->dim[a] < wanted ? s->dim[a] : wanted;
    }
    for (size_t i = 0; i < FMC_TX_PLACES; i++) {
        size_t at[FMC_MAX_RANK], k = i;
        double here;

        for (uint32_t a = 0; a < s->rank; a++)
            at[a] =
                (s->dim[a] - box[a]) * ((2 * i + 1) * place_step[a] % (2 * FMC_TX_PLACES)) / (2 * FMC_TX_PLACES - 1);
        here = NAME(activity)(s, x, at, box);
        for (; k > 0 && happens[k - 1] < here; k--) {
            happens[k] = happens[k - 1];
            memcpy(s->place[k], s->place[k - 1], sizeof at);
        }
        happens[k] = here;
        for (uint32_t a = 0; a < s->rank; a++)
            s->place[k][a] = at[a] + box[a] / 2;
    }
}

/* Where n boxes begin that have places at equal distances in the order of activity in their middle. */
static void NAME(place_boxes)(const fmc_tx_search *s, const size_t *box, size_t n,
                              size_t at[FMC_TX_BOXES][FMC_MAX_RANK])
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t a = 0; a < s->rank; a++) {
            const size_t middle = s->place[i * FMC_TX_PLACES / n][a] >> s->shift[a];
            const size_t half = box[a] / 2, last = s->seen[a] - box[a];

            at[i][a] = middle < half ? 0 : middle - half > last ? last : middle - half;
        }
}

/* Fill a sample with boxes of b->box, or with the whole array if `room` samples are enough for that. */
fmc_status NAME(fmc_tx_take_sample)(const fmc_tx_search *s, const REAL *x, size_t n_boxes, size_t room,
                                    NAME(fmc_tx_sample) *b)
{
    size_t at[FMC_TX_BOXES][FMC_MAX_RANK] = { { 0 } }, each = 1;
    fmc_status st = FMC_OK;

    b->n_boxes = n_boxes;
    if (s->n_seen <= room) {
        memcpy(b->box, s->seen, sizeof b->box);
        b->n_boxes = 1;
    } else {
        NAME(place_boxes)(s, b->box, n_boxes, at);
    }
    for (uint32_t a = 0; a < s->rank; a++)
        each *= b->box[a];
    for (size_t i = 0; i < b->n_boxes; i++)
        FMC_TRY(NAME(crop)(s, x, at[i], b->box, b->raw + i * each));
    b->count = each * b->n_boxes;
    b->scale = (double)s->n_seen / (double)b->count;
    b->step = 0;
done:
    return st;
}
