// Tests that qemu-user cannot run: it knows the system calls, but not all that they promise. MEMLANE_TEST_EMULATOR is its name,
// in builds for a processor that is not the machine's own.
#pragma once

#include <gtest/gtest.h>

#if defined(MEMLANE_TEST_EMULATOR)
#define SKIP_UNDER_QEMU(reason) GTEST_SKIP() << "not under qemu-user: " reason
#else
#define SKIP_UNDER_QEMU(reason) static_assert(true, "runs on a real kernel")
#endif
