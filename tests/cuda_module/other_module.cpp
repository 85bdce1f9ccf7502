// SPDX-License-Identifier: Apache-2.0
// A shared library without the symbol that a module has.
extern "C" __attribute__((visibility("default"))) int other_module_answer() { return 42; }
