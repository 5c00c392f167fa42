/* The commands of the program. argv[0] is the command's name; the result is the exit status. */
#ifndef FOVEA_CLI_COMMANDS_H
#define FOVEA_CLI_COMMANDS_H

#include "status.h"

cli_status command_run(int argc, char **argv);
cli_status command_compare(int argc, char **argv);
cli_status command_info(int argc, char **argv);
cli_status command_bench(int argc, char **argv);

#endif
