/* Just enough UTF-8 to count characters and to keep malformed bytes out of files and terminals. */
#ifndef FOVEA_CLI_UTF8_H
#define FOVEA_CLI_UTF8_H

#include <stdint.h>

/* Bytes of the well-formed character at `text`, which is not empty; 0 if it is malformed, a control character or a
 * noncharacter. */
int32_t utf8_printable(const char *text);

/* The same, but 1 where that is 0: the step to what follows. */
int32_t utf8_step(const char *text);

/* Steps to the end of the text. */
int64_t utf8_count(const char *text);

/* Replaces what utf8_printable refuses with '?', in place. */
void utf8_clean(char *text);

#endif
