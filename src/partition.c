#include "src/partition.h"

#include <math.h>

#include "src/integer.h"
#include "src/schedule.h"

/* Fixed cost of a panel (packing its queries, finishing its output), in keys. */
enum { PANEL_OVERHEAD_KEYS = 32 };
/* Most entries that narrow items may add to a call; bounds the table, not the number of items, which is heads_kv times
 * it. */
enum { MAX_NARROW_ENTRIES = 4096 };
/* Entries are ordered by cost in steps of 1/STEPS_PER_OCTAVE octave, by counting. */
enum { STEPS_PER_OCTAVE = 16, OCTAVES = 64, BUCKETS = STEPS_PER_OCTAVE * OCTAVES };
/* Beyond this many items a thread, the imbalance of the last item is below the tolerance. */
enum { ITEMS_A_THREAD_ENOUGH = 48, MAX_SIMULATED_THREADS = FV_MOST_SCHEDULED_THREADS };
static const double tolerance = 1.03;

int64_t fv_panels(const fv_geometry *geometry, int64_t len_q) {
    int64_t lanes = len_q * geometry->group;
    return lanes <= geometry->row_lanes ? 1 : fv_ceil_div(lanes, geometry->panel_lanes);
}

int64_t fv_split_keys(const fv_geometry *geometry, int64_t panels, int64_t keys) {
    int64_t size = geometry->split_keys;
    while (fv_ceil_div(keys, size) * panels > geometry->split_limit && size < FV_FAR)
        size *= 2;
    return size;
}

int64_t fv_most_splits(const fv_geometry *geometry, int64_t panels, int64_t len_kv) {
    int64_t least_keys = fv_ceil_div(len_kv, geometry->split_keys);
    int64_t limit = geometry->split_limit / panels;
    return least_keys < limit ? least_keys : limit;
}

fv_key_range fv_splits(const fv_geometry *geometry, const fv_sequence *sequence) {
    fv_key_range splits = {-1, 0};
    int64_t panels = fv_panels(geometry, sequence->len_q);
    if (panels > geometry->split_panels || sequence->len_q == 0)
        return splits;
    int64_t size = fv_split_keys(geometry, panels, sequence->end_key);
    fv_key_range keys = fv_visible_keys(sequence, geometry->band, 0, sequence->len_q);
    int64_t begin = keys.begin / size;
    int64_t end = fv_ceil_div(keys.end, size);
    if (end - begin > 1)
        splits = (fv_key_range){begin, end};
    return splits;
}

fv_key_range fv_keys_of_split(const fv_geometry *geometry, const fv_sequence *sequence, int64_t split,
                              fv_key_range keys) {
    if (split < 0)
        return keys;
    int64_t size = fv_split_keys(geometry, fv_panels(geometry, sequence->len_q), sequence->end_key);
    int64_t begin = split * size, end = begin + size;
    keys.begin = keys.begin > begin ? keys.begin : begin;
    keys.end = keys.end < end ? keys.end : end;
    if (keys.end < keys.begin)
        keys.end = keys.begin;
    return keys;
}

/* The most splits of all sequences together that have more than one. Of packed keys, each takes more than half the
 * least size of a split. */
static int64_t all_splits(const fv_geometry *geometry, int64_t panels, int64_t len_kv) {
    int64_t splits = geometry->batch * fv_most_splits(geometry, panels, len_kv);
    return geometry->packed_kv ? fv_min64(splits, fv_ceil_div(2 * len_kv, geometry->split_keys)) : splits;
}

/* Sequences of any lengths that have so many rows together. */
static int64_t packed_capacity(const fv_geometry *geometry, int64_t len_q, int64_t len_kv) {
    int64_t panels = len_q * geometry->group / geometry->panel_lanes + geometry->batch;
    int64_t widest = panels / geometry->item_panels + geometry->batch;
    int64_t chunks = fv_min64(panels, widest > MAX_NARROW_ENTRIES ? widest : MAX_NARROW_ENTRIES);
    return chunks + (geometry->split_panels > 0 ? all_splits(geometry, 1, len_kv) : 0);
}

int64_t fv_partition_capacity(const fv_geometry *geometry, int64_t len_q, int64_t len_kv) {
    if (geometry->packed_q)
        return packed_capacity(geometry, len_q, len_kv);
    int64_t panels = fv_panels(geometry, len_q);
    int64_t widest = fv_ceil_div(panels, geometry->item_panels);
    int64_t narrow = MAX_NARROW_ENTRIES / geometry->batch;
    int64_t chunks = narrow < widest ? widest : narrow < panels ? narrow : panels;
    int64_t splits = panels <= geometry->split_panels ? fv_most_splits(geometry, panels, len_kv) : 1;
    return geometry->batch * (chunks > splits ? chunks : splits);
}

int64_t fv_order_capacity(const fv_geometry *geometry, int64_t entries) {
    const int64_t most = FV_MOST_SCHEDULED_ITEMS;
    return entries >= most || geometry->heads_kv >= most ? most : fv_min64(entries * geometry->heads_kv, most);
}

int64_t fv_partial_rows(const fv_geometry *geometry, int64_t len_q, int64_t len_kv) {
    int64_t lanes = len_q * geometry->group;
    if (geometry->split_panels == 0 || len_kv <= geometry->split_keys)
        return 0;
    if (geometry->packed_q) {
        int64_t most_lanes = fv_min64(lanes, (int64_t)geometry->split_panels * geometry->panel_lanes);
        int64_t by_lanes = lanes * fv_most_splits(geometry, 1, len_kv);
        int64_t by_limit = geometry->batch * geometry->panel_lanes * geometry->split_limit;
        return fv_min64(fv_min64(by_lanes, by_limit), most_lanes * all_splits(geometry, 1, len_kv));
    }
    int64_t panels = fv_panels(geometry, len_q);
    return panels <= geometry->split_panels ? lanes * all_splits(geometry, panels, len_kv) : 0;
}

static double entry_cost(const fv_geometry *geometry, const fv_sequence *sequence, const fv_work *work) {
    int64_t lanes = sequence->len_q * geometry->group;
    double cost = 0;
    for (int64_t panel = work->panel_begin; panel < work->panel_end; panel++) {
        int64_t lane_begin = panel * geometry->panel_lanes;
        int64_t lane_end = lane_begin + geometry->panel_lanes < lanes ? lane_begin + geometry->panel_lanes : lanes;
        fv_key_range keys = fv_visible_keys(sequence, geometry->band, lane_begin / geometry->group,
                                            fv_ceil_div(lane_end, geometry->group));
        keys = fv_keys_of_split(geometry, sequence, work->split, keys);
        int64_t count = keys.end > keys.begin ? keys.end - keys.begin : 0;
        cost += (double)(lane_end - lane_begin) * (double)(count + PANEL_OVERHEAD_KEYS);
    }
    return cost;
}

static void append(const fv_geometry *geometry, const fv_sequence *sequence, fv_worklist *list, fv_work work) {
    work.cost = entry_cost(geometry, sequence, &work);
    list->entries[list->count++] = work;
}

static void append_sequence(const fv_geometry *geometry, const fv_sequence *sequence, int64_t b, int64_t item_panels,
                            fv_worklist *list) {
    if (sequence->len_q == 0)
        return;
    int64_t panels = fv_panels(geometry, sequence->len_q);
    fv_key_range splits = fv_splits(geometry, sequence);
    for (int64_t split = splits.begin; split < splits.end; split++) {
        /* Parts of one split all belong to one item: the merge counts splits. */
        if (split >= 0) {
            append(geometry, sequence, list, (fv_work){.batch = b, .panel_end = panels, .split = split});
            continue;
        }
        for (int64_t begin = 0; begin < panels; begin += item_panels) {
            int64_t end = begin + item_panels < panels ? begin + item_panels : panels;
            append(geometry, sequence, list,
                   (fv_work){.batch = b, .panel_begin = begin, .panel_end = end, .split = split});
        }
    }
}

/* All entries with items of up to `item_panels` panels, in natural order. */
static void enumerate(const fv_geometry *geometry, const fv_sequence *sequences, int64_t item_panels,
                      fv_worklist *list) {
    list->count = 0;
    list->per_batch_entry = 0;
    int64_t previous = 0;
    int uniform = 1;
    for (int64_t b = 0; b < geometry->batch; b++) {
        int64_t before = list->count;
        append_sequence(geometry, &sequences[b], b, item_panels, list);
        uniform &= b == 0 || list->count - before == previous;
        previous = list->count - before;
    }
    if (uniform)
        list->per_batch_entry = previous;
}

static int32_t bucket_of(double cost) {
    int exponent;
    double mantissa = frexp(cost, &exponent); /* in [1/2, 1) */
    int32_t bucket = exponent * STEPS_PER_OCTAVE + (int32_t)((mantissa - 0.5) * 2 * STEPS_PER_OCTAVE);
    return bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket;
}

/* Sorts by descending cost, equal costs in natural order. Returns 0 if the costs were all alike and nothing moved. */
static int sort_by_cost(fv_worklist *list) {
    int32_t start[BUCKETS + 1] = {0};
    for (int64_t i = 0; i < list->count; i++)
        start[BUCKETS - 1 - bucket_of(list->entries[i].cost) + 1]++;
    for (int32_t bucket = 0; bucket < BUCKETS; bucket++)
        if (start[bucket + 1] == list->count)
            return 0;
    for (int32_t bucket = 0; bucket < BUCKETS; bucket++)
        start[bucket + 1] += start[bucket];
    fv_work *sorted = list->entries + list->count;
    for (int64_t i = 0; i < list->count; i++)
        sorted[start[BUCKETS - 1 - bucket_of(list->entries[i].cost)]++] = list->entries[i];
    for (int64_t i = 0; i < list->count; i++)
        list->entries[i] = sorted[i];
    return 1;
}

/* Adds `cost` to the smallest element of a binary min-heap. */
static void add_to_least_loaded(double *heap, int32_t count, double cost) {
    double load = heap[0] + cost;
    int32_t at = 0;
    for (int32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= load)
            break;
        heap[at] = heap[child];
    }
    heap[at] = load;
}

/* When the last of the threads ends that take items in the order of their entries. */
static double makespan(const fv_geometry *geometry, const fv_worklist *list, int32_t threads) {
    double heap[MAX_SIMULATED_THREADS] = {0};
    double largest = 0;
    for (int64_t i = 0; i < list->count; i++)
        for (int64_t head = 0; head < geometry->heads_kv; head++)
            add_to_least_loaded(heap, threads, list->entries[i].cost);
    for (int32_t i = 0; i < threads; i++)
        largest = heap[i] > largest ? heap[i] : largest;
    return largest;
}

static double mean_load(const fv_geometry *geometry, const fv_worklist *list, int32_t threads) {
    double total = 0;
    for (int64_t i = 0; i < list->count; i++)
        total += list->entries[i].cost * (double)geometry->heads_kv;
    return total / threads;
}

/* Looks for a better order of items that cannot be made narrower. */
static void schedule(const fv_geometry *geometry, int32_t threads, fv_worklist *list) {
    const int64_t items = fv_item_count(geometry, list);
    if (items <= threads || items > FV_MOST_SCHEDULED_ITEMS)
        return;
    list->is_ordered = fv_schedule(list, geometry->heads_kv, threads, makespan(geometry, list, threads), list->order);
}

static int64_t narrower(int64_t panels) {
    return panels > 3 ? (panels + 1) / 2 : panels - 1;
}

/* Panels of the longest sequence. */
static int64_t most_panels(const fv_geometry *geometry, const fv_sequence *sequences) {
    int64_t rows = 0;
    for (int64_t b = 0; b < geometry->batch; b++)
        rows = sequences[b].len_q > rows ? sequences[b].len_q : rows;
    return fv_panels(geometry, rows);
}

/* Whether the entries with items of up to `item_panels` panels are at most `capacity`. */
static int fits(const fv_geometry *geometry, const fv_sequence *sequences, int64_t item_panels, int64_t capacity) {
    int64_t entries = 0;
    for (int64_t b = 0; b < geometry->batch && entries <= capacity; b++) {
        fv_key_range splits = fv_splits(geometry, &sequences[b]);
        int64_t chunks = fv_ceil_div(fv_panels(geometry, sequences[b].len_q), item_panels);
        entries += splits.begin < 0 ? chunks : splits.end - splits.begin;
    }
    return entries <= capacity;
}

void fv_partition(const fv_geometry *geometry, const fv_sequence *sequences, int32_t copying, int32_t threads,
                  int64_t capacity, fv_worklist *list) {
    if (threads > MAX_SIMULATED_THREADS)
        threads = MAX_SIMULATED_THREADS;
    const int64_t widest = copying ? geometry->copying_item_panels : geometry->item_panels;
    int64_t item_panels = fv_min64(widest, most_panels(geometry, sequences));
    list->is_ordered = 0;
    for (;; item_panels = narrower(item_panels)) {
        enumerate(geometry, sequences, item_panels, list);
        if (threads <= 1)
            return;
        if (sort_by_cost(list))
            list->per_batch_entry = 0;
        int64_t next = narrower(item_panels);
        if (next < 1 || !fits(geometry, sequences, next, capacity)) {
            schedule(geometry, threads, list);
            return;
        }
        if (fv_item_count(geometry, list) >= (int64_t)ITEMS_A_THREAD_ENOUGH * threads ||
            makespan(geometry, list, threads) <= tolerance * mean_load(geometry, list, threads))
            return;
    }
}

int64_t fv_item_count(const fv_geometry *geometry, const fv_worklist *list) {
    return list->count * geometry->heads_kv;
}

fv_item fv_item_at(const fv_geometry *geometry, const fv_worklist *list, int64_t index) {
    int64_t each = list->per_batch_entry;
    if (list->is_ordered)
        index = list->order[index];
    if (each == 0 || list->is_ordered)
        return (fv_item){&list->entries[index / geometry->heads_kv], index % geometry->heads_kv};
    int64_t b = index / (each * geometry->heads_kv);
    return (fv_item){&list->entries[b * each + index % each], index / each % geometry->heads_kv};
}
