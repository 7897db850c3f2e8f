/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "core/team.h"

#include <string.h>
#include "core/compiler.h"
#include "core/exec.h"

/* Some tens of microseconds: what waking a thread takes. */
#define LOOKS 2000

fmc_status fmc_team_init(fmc_team *t)
{
    memset(t, 0, sizeof *t);
    atomic_init(&t->n_looks, 0);
    atomic_init(&t->round, 0);
    atomic_init(&t->n_inside, 0);
    atomic_flag_clear(&t->is_busy);
    if (pthread_mutex_init(&t->lock, NULL))
        return FMC_ERR_NO_MEMORY;
    if (pthread_cond_init(&t->posted, NULL)) {
        pthread_mutex_destroy(&t->lock);
        return FMC_ERR_NO_MEMORY;
    }
    if (pthread_cond_init(&t->left, NULL)) {
        pthread_cond_destroy(&t->posted);
        pthread_mutex_destroy(&t->lock);
        return FMC_ERR_NO_MEMORY;
    }
    return FMC_OK;
}

void fmc_team_fini(fmc_team *t)
{
    pthread_cond_destroy(&t->left);
    pthread_cond_destroy(&t->posted);
    pthread_mutex_destroy(&t->lock);
}

/* Wait for a round other than `seen`, at first without the lock; returns that round, with the lock held. */
static unsigned await_round(fmc_team *t, unsigned seen)
{
    const unsigned looks = atomic_load_explicit(&t->n_looks, memory_order_relaxed);

    for (unsigned i = 0; i < looks && atomic_load_explicit(&t->round, memory_order_relaxed) == seen; i++)
        FMC_PAUSE();
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->round) == seen) {
        t->n_asleep++;
        pthread_cond_wait(&t->posted, &t->lock);
        t->n_asleep--;
    }
    return atomic_load(&t->round);
}

static void *help(void *user)
{
    fmc_team *t = user;
    unsigned seen;

    pthread_mutex_lock(&t->lock);
    seen = t->before;
    pthread_mutex_unlock(&t->lock);
    for (;;) {
        seen = await_round(t, seen);
        if (t->is_ending)
            break;
        if (!t->work || t->n_wanted == 0) {
            pthread_mutex_unlock(&t->lock);
            continue;
        }
        void (*const work)(void *) = t->work;
        void *const its = t->user;

        t->n_wanted--;
        atomic_fetch_add(&t->n_inside, 1);
        pthread_mutex_unlock(&t->lock);
        work(its);
        pthread_mutex_lock(&t->lock);
        if (atomic_fetch_sub(&t->n_inside, 1) == 1 && t->is_awaited)
            pthread_cond_signal(&t->left);
        pthread_mutex_unlock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* As many threads as that, if they can be started; new ones take part in the round that is posted next. */
static void start(fmc_team *t, uint32_t n_helpers)
{
    if (n_helpers > FMC_TEAM_MAX)
        n_helpers = FMC_TEAM_MAX;
    if (t->n_started >= n_helpers)
        return;
    pthread_mutex_lock(&t->lock);
    t->before = atomic_load(&t->round);
    pthread_mutex_unlock(&t->lock);
    atomic_store(&t->n_looks, n_helpers < fmc_cpu_count() ? LOOKS : 0);
    while (t->n_started < n_helpers && !pthread_create(&t->thread[t->n_started], NULL, help, t))
        t->n_started++;
}

static void post(fmc_team *t, uint32_t n_helpers, void (*work)(void *), void *user)
{
    pthread_mutex_lock(&t->lock);
    t->work = work;
    t->user = user;
    t->n_wanted = n_helpers;
    atomic_fetch_add(&t->round, 1);
    for (uint32_t i = 0; i < n_helpers && i < t->n_asleep; i++)
        pthread_cond_signal(&t->posted);
    pthread_mutex_unlock(&t->lock);
}

static void await_all(fmc_team *t)
{
    const unsigned looks = atomic_load_explicit(&t->n_looks, memory_order_relaxed);

    pthread_mutex_lock(&t->lock);
    t->work = NULL;
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < looks && atomic_load(&t->n_inside) > 0; i++)
        FMC_PAUSE();
    pthread_mutex_lock(&t->lock);
    t->is_awaited = 1;
    while (atomic_load(&t->n_inside) > 0)
        pthread_cond_wait(&t->left, &t->lock);
    t->is_awaited = 0;
    pthread_mutex_unlock(&t->lock);
}

int fmc_team_run(fmc_team *t, uint32_t n_helpers, void (*work)(void *), void *user)
{
    if (atomic_flag_test_and_set(&t->is_busy))
        return 0;
    start(t, n_helpers);
    post(t, n_helpers, work, user);
    work(user);
    await_all(t);
    atomic_flag_clear(&t->is_busy);
    return 1;
}

void fmc_team_end(fmc_team *t)
{
    if (t->n_started == 0)
        return;
    pthread_mutex_lock(&t->lock);
    t->is_ending = 1;
    atomic_fetch_add(&t->round, 1);
    pthread_cond_broadcast(&t->posted);
    pthread_mutex_unlock(&t->lock);
    while (t->n_started > 0)
        pthread_join(t->thread[--t->n_started], NULL);
    t->is_ending = 0;
}
