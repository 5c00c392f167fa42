/* Output files that appear whole or not at all.
 *
 * output_open makes a temporary file in the directory of the final name; output_commit_all writes them to the disk and
 * renames them; output_discard_all removes those that were not committed, and so does a signal that ends the program.
 */
#ifndef FOVEA_CLI_OUTPUT_H
#define FOVEA_CLI_OUTPUT_H

#include <stdio.h>

#include "status.h"

/* Files open at a time. */
enum { OUTPUT_MAX = 8 };

/* Opens a file that will be named `path` (borrowed until the commit). *file stays owned by this module. The message has
 * been printed when the status is not CLI_OK. */
cli_status output_open(const char *path, FILE **file);

/* Says that writing to `file` failed (errno), and returns CLI_FAILED. */
cli_status output_failed(FILE *file);

/* Gives every open file its final name, in the order of opening, after all of them reached the disk. */
cli_status output_commit_all(void);

/* Removes what was not committed. */
void output_discard_all(void);

#endif
