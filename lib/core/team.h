/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FMC_CORE_TEAM_H
#define FMC_CORE_TEAM_H

#include <stdatomic.h>
#include <stdint.h>
#include <pthread.h>
#include <fmc/fmc.h>

enum { FMC_TEAM_MAX = 255 }; /* helpers */

/**
 * Helper threads that stay from loop to loop of a call: starting one takes as long as a small loop. They are started when a
 * loop first wants them, look for the next loop for some microseconds, then sleep.
 */
typedef struct fmc_team {
    pthread_mutex_t lock;
    pthread_cond_t  posted;    /* there is work, or an end */
    pthread_cond_t  left;      /* the last helper has left the work */
    pthread_t       thread[FMC_TEAM_MAX];
    uint32_t        n_started;
    atomic_uint     n_looks;   /* before a thread sleeps; 0 where there are more threads than processors */
    atomic_flag     is_busy;   /* a loop runs on it */
    atomic_uint     round;     /* counts what was posted */
    atomic_uint     n_inside;  /* helpers in the work */
    /* under the lock */
    void          (*work)(void *);
    void           *user;
    unsigned        before;    /* round before the newest threads were started */
    uint32_t        n_wanted;  /* helpers that may still enter */
    uint32_t        n_asleep;
    int             is_awaited, is_ending;
} fmc_team;

/** No thread is started yet. @return also FMC_ERR_NO_MEMORY. */
fmc_status fmc_team_init(fmc_team *t);

/** Ends the threads. The team can be used again. */
void fmc_team_end(fmc_team *t);

/** After fmc_team_end. */
void fmc_team_fini(fmc_team *t);

/**
 * Run work(user) on the calling thread and at the same time on up to n_helpers others (fewer where threads cannot be started, or
 * come too late); waits for all that entered. Any thread.
 * @return 0, with nothing done, where the team is at work already: a loop within a loop.
 */
int fmc_team_run(fmc_team *t, uint32_t n_helpers, void (*work)(void *), void *user);

#endif
