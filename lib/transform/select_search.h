/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_TRANSFORM_SELECT_SEARCH_H
#define FMC_TRANSFORM_SELECT_SEARCH_H

/* Inside of fmc_tx_choose, shared by select_*.c: choices of transforms, samples of the array, costs there. */

#include "transform/lines.h"
#include "transform/select.h"

enum {
    FMC_TX_KINDS = FMC_TX_KLT + 1,
    FMC_TX_PLACES = 32, /* looked at for samples */
    FMC_TX_BOXES = 3,   /* of a sample, at most */
    FMC_TX_TRIED = 40   /* choices of a list, at most: twice 2 + 6 x 3, or 5 axes of 5 changes and 6 of filters */
};

/** What is being chosen: one kind and, of wavelets, one filter per axis, and one more halving of P axes. */
typedef struct fmc_tx_choice {
    uint8_t kind[FMC_MAX_RANK];
    uint8_t extra_level;
    uint8_t long_axes; /* mask: W and P axes with the longer filter; what it says of others means nothing */
    double  bits; /* what it is judged by: size and the cost of errors */
} fmc_tx_choice;

typedef struct fmc_tx_search {
    const fmc_exec      *ex;
    uint32_t             rank;
    size_t               dim[FMC_MAX_RANK], count;   /* of the array */
    size_t               shift[FMC_MAX_RANK];        /* judged are means of blocks of 2^shift along an axis */
    size_t               seen[FMC_MAX_RANK], n_seen; /* of the array as it is judged */
    uint32_t             effort;
    double               rmse, rmse_seen;            /* aimed at; for the means, scaled like orthonormal ones */
    uint8_t              allowed[FMC_MAX_RANK][FMC_TX_KINDS];
    fmc_tx_klt          *klt;                        /* [rank], from the whole array; n is 0: none yet */
    void                *rotation[FMC_MAX_RANK];     /* owned: their vectors before rounding, [n][n] of the real type */
    double               side_bits[FMC_MAX_RANK];    /* what they take in the stream */
    fmc_tx_choice        best, second;
    fmc_tx_choice        close[FMC_TX_MENU_MAX];     /* what came next in the last comparison, best first */
    size_t               n_close;
    fmc_tx_choice        plain;                      /* the best with transforms along at most one axis */
    double               bits_of[FMC_MAX_RANK][FMC_TX_KINDS]; /* relative to the best kind, 0: not judged */
    size_t               place[FMC_TX_PLACES][FMC_MAX_RANK];  /* in the array, the ones where most happens first */
    double               step;                       /* for comparing whole arrays; 0: not yet found */
    uint8_t              runner[FMC_MAX_RANK];       /* the second best kind of an axis */
    double               runner_bits[FMC_MAX_RANK];  /* how many more bits it takes, part of the whole */
} fmc_tx_search;

/* ---- candidates: select_candidates.c ---- */

/** Which kinds an axis may have: s->allowed[axis]. @param axis_kind  enum fmc_axis_kind. */
void fmc_tx_find_allowed(fmc_tx_search *s, uint32_t axis, uint32_t axis_kind, int is_periodic);

/** Whether two choices make the same plan. */
int    fmc_tx_is_same(const fmc_tx_search *s, const fmc_tx_choice *a, const fmc_tx_choice *b);
/** Axes of a choice that have a kind. */
size_t fmc_tx_count_kind(const fmc_tx_search *s, const fmc_tx_choice *c, uint8_t kind);
/** Whether another kind of `axis` may have made c better. */
int    fmc_tx_is_worth_trying(const fmc_tx_search *s, const fmc_tx_choice *c, uint32_t axis);

/** Put a choice where it belongs among the n best, at most n_max. @return how many there are then. */
size_t fmc_tx_insert_choice(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, size_t n_max,
                            const fmc_tx_choice *c);

/** Lists of at most FMC_TX_TRIED choices: what is close after a sweep; what is compared whole; changes of one axis. */
size_t fmc_tx_close_choices(const fmc_tx_search *s, fmc_tx_choice *list);
size_t fmc_tx_long_menu(const fmc_tx_search *s, fmc_tx_choice *list);
size_t fmc_tx_changes_of(const fmc_tx_search *s, const fmc_tx_choice *from, fmc_tx_choice *list);

/**
 * Where none of the n_left has wavelets along all axes, the first of a longer list that does, if it is near its best: where a box
 * has only a part of an axis, wavelets look worse than they are.
 */
size_t fmc_tx_add_wavelets(const fmc_tx_search *s, fmc_tx_choice *left, size_t n_left, const fmc_tx_choice *list, size_t n,
                           double near);
/** Add the first n_twice choices of a list once more with the other filter, where that is something new. */
size_t fmc_tx_add_filters(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, size_t n_twice);
/**
 * Choices that were judged again, the best of a list among them, go to its head; what others take is scaled to that sample. At
 * most FMC_TX_TRIED. @return how many there are then.
 */
size_t fmc_tx_put_before(const fmc_tx_search *s, fmc_tx_choice *list, size_t n, const fmc_tx_choice *head, size_t n_head);

/** Where no close choice has more wavelets than the best of a list, the first that does and is near becomes the last of them. */
void fmc_tx_keep_wavelets(fmc_tx_search *s, const fmc_tx_choice *list, size_t n, double near);

/** Take the best kind of an axis, tried[FMC_TX_KINDS], and remember the next. */
void fmc_tx_settle(fmc_tx_search *s, uint32_t axis, const fmc_tx_choice *tried);
/** s->second: the change of one axis that loses least. */
void fmc_tx_find_second(fmc_tx_search *s);
/** Plans of the n_top best; takes s->klt. */
void fmc_tx_fill_menu(fmc_tx_search *s, const fmc_tx_choice *top, size_t n_top, fmc_tx_menu *menu);

/* ---- samples: select_sample.c ---- */

/** s->seen and s->rmse_seen from s->shift. @param lost  by taking means, of the mean square error aimed at. */
void fmc_tx_set_seen(fmc_tx_search *s, double lost);
/**
 * A box with all of one axis (up to a length), of K and F axes too if they fit, and about budget samples: the other
 * extents are doubled, the least one first, as long as they fit.
 */
void fmc_tx_sample_box(const fmc_tx_search *s, uint32_t axis, size_t budget, size_t *box);
/** A box of about budget samples, with all of the axes that have another transform than W in one of n choices. */
void fmc_tx_common_box(const fmc_tx_search *s, const fmc_tx_choice *list, size_t n, size_t budget, size_t *box);

/* ---- judging: select_judge.c ---- */

/** The plan of a choice for a box; K and F axes that the box has only a part of get a DCT, which is the next best. */
fmc_tx_plan fmc_tx_plan_of(const fmc_tx_search *s, const fmc_tx_choice *c, const size_t *box, const size_t *dim,
                           fmc_tx_klt *klt);
/** The axes of a plan that have a W, and those that have another transform: a mask. */
uint32_t fmc_tx_axes_with(const fmc_tx_plan *p, int is_w);

#define REAL float
#define NAME(x) x##_f32
#include "transform/select_search_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "transform/select_search_real.h"
#undef REAL
#undef NAME

#endif
