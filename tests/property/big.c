/* SPDX-License-Identifier: Apache-2.0 */
#include "big.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void big_zero(big *a)
{
    memset(a, 0, sizeof *a);
    a->lo = a->hi = 0;
}

static void trim(big *a)
{
    while (a->lo < a->hi && !a->w[a->lo])
        a->lo++;
    while (a->hi > a->lo && !a->w[a->hi - 1])
        a->hi--;
    if (a->lo == a->hi)
        a->lo = a->hi = 0;
}

/* Place a 64-bit integer times 2^exponent. */
static void place(big *a, uint64_t m, int exponent)
{
    const int bit = exponent + BIG_POINT;

    big_zero(a);
    if (!m)
        return;
    if (bit < 0 || bit / 32 + 3 > BIG_WORDS)
        abort();
    a->lo = bit / 32;
    a->hi = a->lo + 3;
    for (int k = 0; k < 64; k++)
        if (m >> k & 1)
            a->w[(bit + k) / 32] |= 1u << (bit + k) % 32;
    trim(a);
}

void big_of(big *a, double x)
{
    int exponent;
    const double f = frexp(fabs(x), &exponent); /* f * 2^53 is an integer */

    place(a, (uint64_t)ldexp(f, 53), exponent - 53);
}

void big_add(big *a, const big *b)
{
    uint64_t carry = 0;
    int i, hi = b->hi;

    if (b->lo == b->hi)
        return;
    for (i = b->lo; i < BIG_WORDS && (i < hi || carry); i++) {
        carry += (uint64_t)a->w[i] + (i < hi ? b->w[i] : 0);
        a->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        abort();
    if (a->lo == a->hi) {
        a->lo = b->lo;
        a->hi = i;
    } else {
        a->lo = a->lo < b->lo ? a->lo : b->lo;
        a->hi = a->hi > i ? a->hi : i;
    }
    trim(a);
}

int big_compare(const big *a, const big *b)
{
    for (int i = a->hi > b->hi ? a->hi : b->hi; i-- > 0;)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

/* a -= b, a >= b. */
static void subtract(big *a, const big *b)
{
    int64_t borrow = 0;

    if (b->lo < a->lo)
        a->lo = b->lo;
    for (int i = b->lo; i < a->hi; i++) {
        borrow += (int64_t)a->w[i] - (int64_t)b->w[i];
        a->w[i] = (uint32_t)borrow;
        borrow = borrow < 0 ? -1 : 0;
    }
    trim(a);
}

void big_distance(big *a, double x, double y)
{
    big b;

    big_of(a, x);
    big_of(&b, y);
    if (signbit(x) != signbit(y)) {
        big_add(a, &b);
    } else if (big_compare(a, &b) >= 0) {
        subtract(a, &b);
    } else {
        subtract(&b, a);
        *a = b;
    }
}

void big_multiply(big *a, const big *b, const big *c)
{
    const int shift = BIG_POINT / 32;

    big_zero(a);
    for (int i = b->lo; i < b->hi; i++) {
        uint64_t carry = 0;
        int k = i + c->lo - shift;

        for (int j = c->lo; j < c->hi || carry; j++, k++) {
            if (k < 0 || k >= BIG_WORDS)
                abort();
            carry += (uint64_t)b->w[i] * (j < c->hi ? c->w[j] : 0) + a->w[k];
            a->w[k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    a->lo = 0;
    a->hi = BIG_WORDS;
    trim(a);
}

void big_scale(big *a, uint32_t n)
{
    uint64_t carry = 0;
    int i;

    for (i = a->lo; i < BIG_WORDS && (i < a->hi || carry); i++) {
        carry += (uint64_t)a->w[i] * n;
        a->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        abort();
    a->hi = i;
    trim(a);
}
