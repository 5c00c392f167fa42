/* A plugin of QEMU that counts the instructions of a program and writes the number into QEMU's log at its end. Debian
 * has no header of this interface (version 1, in QEMU since 4.2); the declarations are those of its documentation. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t plugin_id;
/* Instructions that QEMU translates at once, and runs from the first to the last. */
typedef struct qemu_plugin_tb translation;
typedef enum qemu_plugin_op { PLUGIN_ADD_U64 } plugin_op;

#define PLUGIN_EXPORT __attribute__((visibility("default")))

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id id, translation *block));
extern size_t qemu_plugin_tb_n_insns(const translation *block);
extern void qemu_plugin_register_vcpu_tb_exec_inline(translation *block, plugin_op op, void *to, uint64_t value);
extern void qemu_plugin_register_atexit_cb(plugin_id id, void (*ended)(plugin_id id, void *data), void *data);
extern void qemu_plugin_outs(const char *text);

PLUGIN_EXPORT extern const int qemu_plugin_version;
PLUGIN_EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

const int qemu_plugin_version = 1;

/* Of a program with one thread. */
static uint64_t executed;

static void count_block(plugin_id id, translation *block) {
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, PLUGIN_ADD_U64, &executed, qemu_plugin_tb_n_insns(block));
}

static void report(plugin_id id, void *data) {
    (void)id;
    (void)data;
    char line[64];
    snprintf(line, sizeof line, "instructions: %" PRIu64 "\n", executed);
    qemu_plugin_outs(line);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
