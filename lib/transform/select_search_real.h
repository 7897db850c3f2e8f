/* SPDX-License-Identifier: Apache-2.0 */
/* Samples and judging for one real type; REAL and NAME(x) defined. */

/** Boxes of the array as one array, and what choices have in common. */
typedef struct NAME(fmc_tx_sample) {
    size_t box[FMC_MAX_RANK];
    size_t n_boxes, count;   /* samples of all boxes */
    double scale;            /* samples of the array as it is judged for one of the boxes' */
    double step;             /* of the quantiser that all choices are judged with; 0: not yet found */
    REAL *raw, *base, *rest; /* samples; transformed along other axes than W; along all others */
} NAME(fmc_tx_sample);

/** Judge long axes by means of neighbours, as long as what that loses is far below the error aimed at. */
void NAME(fmc_tx_find_shifts)(fmc_tx_search *s, const REAL *x);
/** Neighbours across the ends resemble each other as much as others. */
int NAME(fmc_tx_is_periodic)(const fmc_tx_search *s, uint32_t axis, const REAL *x);
/** s->place: all over the array, the ones where most happens first. */
void NAME(fmc_tx_find_places)(fmc_tx_search *s, const REAL *x);
/** Fill a sample with boxes of b->box, or with the whole array if `room` samples are enough for that. */
fmc_status NAME(fmc_tx_take_sample)(const fmc_tx_search *s, const REAL *x, size_t n_boxes, size_t room,
                                    NAME(fmc_tx_sample) *b);

/** One choice to be judged: its plan for the boxes, what it begins with, and the axes still to be transformed. */
typedef struct NAME(fmc_tx_trial) {
    fmc_tx_choice *c;
    fmc_tx_plan plan;
    const REAL *from;
    uint32_t axes;
} NAME(fmc_tx_trial);

/** Bases of the K axes of a choice, from all of the samples. */
fmc_status NAME(fmc_tx_add_bases)(fmc_tx_search *s, const fmc_tx_choice *c, const REAL *x);
/** Transform boxes along some axes, a mask of them. */
fmc_status NAME(fmc_tx_apply)(const fmc_tx_search *s, const fmc_tx_plan *plan, uint32_t axes, size_t n_boxes,
                              REAL *data);
/** c->bits: bits and error for the whole array, from boxes that are still to be transformed along `axes`. */
fmc_status NAME(fmc_tx_judge_from)(const fmc_tx_search *s, NAME(fmc_tx_sample) *b, const fmc_tx_plan *plan,
                                   const REAL *from, uint32_t axes, fmc_tx_choice *c);
/** Judge n choices, the first one alone if it is to find the step for all. */
fmc_status NAME(fmc_tx_judge_all)(const fmc_tx_search *s, NAME(fmc_tx_sample) *b, NAME(fmc_tx_trial) *trial,
                                  uint32_t n);
/**
 * The same of at most FMC_TX_TRIED choices that all begin with b->raw: transforms along different axes commute, what several have
 * in common is done once. Changes trial[].axes.
 */
fmc_status NAME(fmc_tx_judge_list)(const fmc_tx_search *s, NAME(fmc_tx_sample) *b, NAME(fmc_tx_trial) *trial,
                                   uint32_t n);
