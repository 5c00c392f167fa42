/* Version of the library: MAJOR.MINOR.PATCH, semantic versioning of the C ABI from 1.0 on. */
#ifndef FOVEA_VERSION_H
#define FOVEA_VERSION_H

#include "export.h"

#define FOVEA_VERSION_MAJOR 0
#define FOVEA_VERSION_MINOR 1
#define FOVEA_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is running, for example "0.1.0". The string is static; never NULL. */
FOVEA_API const char *fovea_version(void);

#ifdef __cplusplus
}
#endif
#endif
