#include "utf8.h"

int32_t utf8_printable(const char *text) {
    const unsigned char *u = (const unsigned char *)text;
    if (u[0] < 0x80)
        return u[0] >= 0x20 && u[0] != 0x7f;
    int32_t length = u[0] >= 0xc2 && u[0] <= 0xdf   ? 2
                     : (u[0] & 0xf0) == 0xe0        ? 3
                     : u[0] >= 0xf0 && u[0] <= 0xf4 ? 4
                                                    : 0;
    for (int32_t i = 1; i < length; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    /* Control characters, overlong forms, surrogates, noncharacters and what is past the last code point. */
    int surrogate = u[0] == 0xed && u[1] >= 0xa0;
    int overlong = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
    int control = u[0] == 0xc2 && u[1] < 0xa0;
    int beyond = (u[0] == 0xf4 && u[1] > 0x8f) || (u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe);
    return surrogate || overlong || control || beyond ? 0 : length;
}

int32_t utf8_step(const char *text) {
    int32_t length = utf8_printable(text);
    return length ? length : 1;
}

int64_t utf8_count(const char *text) {
    int64_t count = 0;
    for (; *text; count++)
        text += utf8_step(text);
    return count;
}

void utf8_clean(char *text) {
    for (; *text; text += utf8_step(text))
        if (!utf8_printable(text))
            *text = '?';
}
