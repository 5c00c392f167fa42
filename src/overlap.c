#include "src/overlap.h"

/* n * weight for some n in [0, limit]. */
typedef struct term {
    int64_t weight;
    int64_t limit;
} term;

enum { MAX_TERMS = 2 * FV_MAX_AXES };

/* Is there a sum of one multiple of each term in an interval? */
typedef struct problem {
    int32_t count;
    /* In ascending order of weights. */
    term terms[MAX_TERMS];
    /* Largest sum of the terms below this one; greatest common divisor of this weight and those below. */
    int64_t reach[MAX_TERMS];
    int64_t divisor[MAX_TERMS];
    int32_t budget;
} problem;

static void insert_axis(fv_box *box, int64_t steps, int64_t stride) {
    int32_t at = box->axes++;
    for (; at > 0 && box->strides[at - 1] > stride; at--) {
        box->strides[at] = box->strides[at - 1];
        box->steps[at] = box->steps[at - 1];
    }
    box->strides[at] = stride;
    box->steps[at] = steps;
}

/* Not initialised as a whole: this runs for every tensor of every call. */
int32_t fv_box_make(fv_box *box, const void *data, int64_t element, int32_t axes, const int64_t *sizes,
                    const int64_t *strides) {
    /* Elements between the lowest and the highest one, and between the lowest one and data. */
    int64_t span = 0;
    int64_t below = 0;
    box->element = element;
    box->axes = 0;
    for (int32_t axis = axes - 1; axis >= 0; axis--) {
        const int64_t steps = sizes[axis] - 1;
        if (steps <= 0) {
            if (steps == 0)
                continue;
            box->begin = 0;
            box->end = 0;
            box->axes = 0;
            return 1;
        }
        const int64_t stride = strides[axis];
        int64_t reach;
        if (stride < -FV_MAX_SPAN || __builtin_mul_overflow(stride < 0 ? -stride : stride, steps, &reach) ||
            reach > FV_MAX_SPAN - span)
            return 0;
        span += reach;
        below += stride < 0 ? reach : 0;
        insert_axis(box, steps, (stride < 0 ? -stride : stride) * element);
    }
    const uint64_t bytes = (uint64_t)((span + 1) * element);
    const uint64_t bytes_below = (uint64_t)(below * element);
    const uint64_t first = (uintptr_t)data;
    if (first < bytes_below || bytes > UINTPTR_MAX - (first - bytes_below))
        return 0;
    box->begin = (uintptr_t)(first - bytes_below);
    box->end = box->begin + (uintptr_t)bytes;
    return 1;
}

static void add_term(problem *p, int64_t weight, int64_t limit) {
    if (weight == 0 || limit == 0)
        return;
    int32_t at = p->count++;
    for (; at > 0 && p->terms[at - 1].weight > weight; at--)
        p->terms[at] = p->terms[at - 1];
    p->terms[at] = (term){weight, limit};
}

/* Removes the terms that leave no gap in [*low, high] and merges those that continue each other. */
static void reduce(problem *p, int64_t *low, int64_t high) {
    int32_t kept = 0;
    for (int32_t i = 0; i < p->count; i++) {
        const term next = p->terms[i];
        term *below = kept > 0 ? &p->terms[kept - 1] : NULL;
        if (next.weight <= high - *low + 1)
            *low -= next.weight * next.limit;
        else if (below && next.weight % below->weight == 0 && next.weight / below->weight <= below->limit + 1)
            below->limit += next.limit * (next.weight / below->weight);
        else
            p->terms[kept++] = next;
    }
    p->count = kept;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The largest integer not above a / b; b > 0. */
static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Can the terms up to `index` reach [low, high]? */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than there are terms, eight at most. */
static fv_overlap search(problem *p, int32_t index, int64_t low, int64_t high) {
    if (index < 0)
        return low <= 0 && high >= 0 ? FV_OVERLAP_FOUND : FV_OVERLAP_NONE;
    const term top = p->terms[index];
    /* Multiples of the top weight from which the terms below can still reach the interval. */
    int64_t first = -floor_divide(p->reach[index] - low, top.weight);
    int64_t last = floor_divide(high, top.weight);
    first = first < 0 ? 0 : first;
    last = last > top.limit ? top.limit : last;
    if (first > last || floor_divide(high, p->divisor[index]) * p->divisor[index] < low)
        return FV_OVERLAP_NONE;
    if (index == 0)
        return FV_OVERLAP_FOUND;
    for (int64_t n = first; n <= last; n++) {
        if (--p->budget < 0)
            return FV_OVERLAP_UNDECIDED;
        fv_overlap found = search(p, index - 1, low - n * top.weight, high - n * top.weight);
        if (found != FV_OVERLAP_NONE)
            return found;
    }
    return FV_OVERLAP_NONE;
}

static fv_overlap solve(problem *p, int64_t low, int64_t high) {
    reduce(p, &low, high);
    int64_t reach = 0;
    int64_t divisor = 0;
    for (int32_t i = 0; i < p->count; i++) {
        divisor = greatest_common_divisor(p->terms[i].weight, divisor);
        p->divisor[i] = divisor;
        p->reach[i] = reach;
        reach += p->terms[i].weight * p->terms[i].limit;
    }
    p->budget = FV_OVERLAP_BUDGET;
    return search(p, p->count - 1, low, high);
}

fv_overlap fv_box_overlaps(const fv_box *a, const fv_box *b) {
    if (a->end <= b->begin || b->end <= a->begin)
        return FV_OVERLAP_NONE;
    problem p = {.count = 0};
    for (int32_t axis = 0; axis < a->axes; axis++)
        add_term(&p, a->strides[axis], a->steps[axis]);
    for (int32_t axis = 0; axis < b->axes; axis++)
        add_term(&p, b->strides[axis], b->steps[axis]);
    /* From a's lowest element to b's highest one. */
    int64_t distance = (int64_t)(b->end - a->begin) - b->element;
    return solve(&p, distance + 1 - a->element, distance + b->element - 1);
}

/* Do two indices that differ in axis `top`, and else only in axes of smaller strides, share a byte? */
static fv_overlap indices_meet(const fv_box *box, int32_t top) {
    problem p = {.count = 0};
    int64_t centre = -box->strides[top];
    for (int32_t axis = 0; axis < top; axis++) {
        add_term(&p, box->strides[axis], 2 * box->steps[axis]);
        centre += box->strides[axis] * box->steps[axis];
    }
    /* The difference in the top axis is at least 1; the negative ones mirror these. */
    add_term(&p, box->strides[top], box->steps[top] - 1);
    return solve(&p, centre + 1 - box->element, centre + box->element - 1);
}

fv_overlap fv_box_overlaps_itself(const fv_box *box) {
    fv_overlap worst = FV_OVERLAP_NONE;
    /* Bytes that the smaller axes span; an axis that strides over all of them is safe without a search. */
    int64_t span = box->element;
    for (int32_t axis = 0; axis < box->axes; axis++) {
        if (box->strides[axis] < span) {
            fv_overlap found = indices_meet(box, axis);
            if (found == FV_OVERLAP_FOUND)
                return found;
            worst = found > worst ? found : worst;
        }
        span += box->strides[axis] * box->steps[axis];
    }
    return worst;
}
