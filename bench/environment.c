#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fovea/version.h"
#include "measure.h"
#include "pages.h"

/* Two regions as large as the keys and values of a long decoding step; a few pages to see that it works. */
static const size_t region_bytes = (size_t)64 << 20;
static const size_t smoke_region_bytes = (size_t)1 << 20;

enum { SAMPLES = 9 };

static void find_bandwidth(bench_environment *found, const bench_options *options) {
    const size_t bytes = options->smoke ? smoke_region_bytes : region_bytes;
    bench_pages pages;
    if (!bench_pages_map(&pages, 2 * bytes, options->huge_pages))
        return;
    const unsigned char *a = bench_pages_cut(&pages, bytes);
    const unsigned char *b = bench_pages_cut(&pages, bytes);
    const bench_regions regions = {a, b, bytes};
    const bench_read_pattern best = bench_read_best(&regions, options->threads, options->smoke ? 1 : 3);
    double rates[SAMPLES];
    for (int32_t i = 0; i < SAMPLES; i++)
        rates[i] = bench_read_rate(&best, &regions, options->threads);
    found->bandwidth = bench_quartiles_of(rates, SAMPLES).median;
    bench_read_describe(&best, found->pattern, sizeof found->pattern);
    bench_pages_unmap(&pages);
}

/* The number in a line "KEY : NUMBER" of /proc/cpuinfo, or -1. */
static int32_t processor_fact(const char *key) {
    char line[256] = {0};
    int32_t number = -1;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && number < 0 && fgets(line, sizeof line, file)) {
        const size_t length = strlen(key);
        const char *rest = line + length + strspn(line + length, " \t");
        if (strncmp(line, key, length) == 0 && *rest == ':')
            number = (int32_t)strtol(rest + 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return number;
}

static void name_processor(char *name, size_t size) {
    const int32_t family = processor_fact("cpu family"), model = processor_fact("model");
    if (family < 0 || model < 0)
        snprintf(name, size, "%s", fovea_cpu_name());
    else
        snprintf(name, size, "%s, family %d, model %d", fovea_cpu_name(), (int)family, (int)model);
}

bench_environment bench_environment_find(const bench_options *options) {
    bench_environment found = {
        .version = fovea_version(),
        .pages = options->huge_pages ? "huge pages" : "4 KiB pages",
        .threads = options->threads,
    };
    name_processor(found.cpu, sizeof found.cpu);
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc))
        strftime(found.date, sizeof found.date, "%Y-%m-%d %H:%M UTC", &utc);
    (void)getloadavg(&found.load, 1);
    find_bandwidth(&found, options);
    return found;
}

double bench_environment_peak(const fv_backend *backend, const bench_options *options) {
    const bench_probe *probe = bench_probe_for(backend);
    const int64_t times = bench_probe_times(probe, options->threads, options);
    const bench_clock clock = options->threads > 1 ? BENCH_CLOCK_WALL : BENCH_CLOCK_THREAD;
    double rates[SAMPLES];
    for (int32_t i = 0; i < SAMPLES; i++)
        rates[i] = bench_multiply_add_rate(probe, options->threads, times, clock);
    return bench_quartiles_of(rates, SAMPLES).median;
}
