#include "src/schedule.h"

/* What is good enough, and tried first: so much of what no schedule undercuts. Then how often the interval between what
 * failed and what is known is halved. */
static const double tolerance = 1.03, first_try = 1.025;
enum { MOST_HALVINGS = 3 };

typedef struct problem {
    const fv_work *entries;
    int64_t heads_kv;
    int32_t items;
    int32_t threads;
} problem;

static double cost_of(const problem *p, int32_t item) {
    return p->entries[item / p->heads_kv].cost;
}

/* What no schedule undercuts: the mean load, the largest item, and of the first k * threads + 1 items the k + 1
 * smallest, since some thread has so many of them. */
static double least_makespan(const problem *p) {
    double least = 0;
    for (int32_t item = 0; item < p->items; item++)
        least += cost_of(p, item);
    least /= p->threads;
    for (int32_t last = 0, k = 0; last < p->items; last += p->threads, k++) {
        double smallest = 0;
        for (int32_t item = last - k; item <= last; item++)
            smallest += cost_of(p, item);
        least = smallest > least ? smallest : least;
    }
    return least;
}

/* Time that threads have left: a binary tree whose leaves are the threads, and whose nodes hold the larger of two. */
typedef struct rooms {
    double most[2 * FV_MOST_SCHEDULED_THREADS];
    int32_t leaves;
} rooms;

static void raise_most(rooms *self, int32_t node) {
    const double left = self->most[2 * node], right = self->most[2 * node + 1];
    self->most[node] = left > right ? left : right;
}

static void open_rooms(rooms *self, int32_t threads, double limit) {
    self->leaves = 1;
    while (self->leaves < threads)
        self->leaves *= 2;
    for (int32_t i = 0; i < self->leaves; i++)
        self->most[self->leaves + i] = i < threads ? limit : 0;
    for (int32_t node = self->leaves - 1; node > 0; node--)
        raise_most(self, node);
}

/* Gives an item to the first thread that has time for it. Returns the time that this one had left, or 0 if none has. */
static double take_room(rooms *self, double cost) {
    if (self->most[1] < cost)
        return 0;
    int32_t node = 1;
    while (node < self->leaves)
        node = self->most[2 * node] >= cost ? 2 * node : 2 * node + 1;
    const double left = self->most[node];
    self->most[node] = left - cost;
    while ((node /= 2) > 0)
        raise_most(self, node);
    return left;
}

/* Whether every thread can end by `limit`; if so, when items begin. */
static int32_t first_fit(const problem *p, double limit, double *begin) {
    rooms self;
    open_rooms(&self, p->threads, limit);
    for (int32_t item = 0; item < p->items; item++) {
        const double left = take_room(&self, cost_of(p, item));
        if (left == 0)
            return 0;
        begin[item] = limit - left;
    }
    return 1;
}

/* By counting: items that begin within a thousandth of the makespan of each other stay in their order. */
static void sort_by_begin(const double *begin, int32_t count, double makespan, uint16_t *order) {
    enum { STEPS = 1024 };
    int32_t at[STEPS + 1] = {0};
    const double scale = (STEPS - 1) / makespan;
    for (int32_t i = 0; i < count; i++)
        at[(int32_t)(begin[i] * scale) + 1]++;
    for (int32_t step = 0; step < STEPS; step++)
        at[step + 1] += at[step];
    for (int32_t i = 0; i < count; i++)
        order[at[(int32_t)(begin[i] * scale)]++] = (uint16_t)i;
}

int32_t fv_schedule(const fv_worklist *list, int64_t heads_kv, int32_t threads, double makespan, uint16_t *order) {
    const problem p = {
        .entries = list->entries,
        .heads_kv = heads_kv,
        .items = (int32_t)(list->count * heads_kv),
        .threads = threads,
    };
    double begin[FV_MOST_SCHEDULED_ITEMS];
    const double least = least_makespan(&p);
    double impossible = least, limit = first_try * least, found = makespan;
    for (int32_t i = 0; i <= MOST_HALVINGS && found > tolerance * least; i++) {
        if (first_fit(&p, limit, begin)) {
            found = limit;
            sort_by_begin(begin, p.items, limit, order);
        } else {
            impossible = limit;
        }
        limit = (impossible + found) / 2;
    }
    return found < makespan;
}
