#ifndef FOVEA_CLI_CLOCK_H
#define FOVEA_CLI_CLOCK_H

/* Seconds of wall time since some fixed moment. */
double clock_now(void);

#endif
