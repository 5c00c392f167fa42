#include "fovea/version.h"

#define FV_TEXT(x) #x
#define FV_DOTTED(major, minor, patch) FV_TEXT(major) "." FV_TEXT(minor) "." FV_TEXT(patch)

const char *fovea_version(void) {
    return FV_DOTTED(FOVEA_VERSION_MAJOR, FOVEA_VERSION_MINOR, FOVEA_VERSION_PATCH);
}
