/* The front end that hands every case to Google Benchmark. */
#ifndef FOVEA_BENCH_GOOGLE_H
#define FOVEA_BENCH_GOOGLE_H

#include "case.h"

/* Registers the cases and runs what Google Benchmark's flags in argv select; the exit status. */
int32_t bench_google(const bench_list *list, const bench_options *options, int argc, char **argv);

#endif
