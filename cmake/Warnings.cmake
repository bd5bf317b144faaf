# SPDX-License-Identifier: MIT
# The warnings every target is built with. They are errors: a warning nobody acts on is noise.
add_library(agenttest-warnings INTERFACE)
target_compile_options(agenttest-warnings INTERFACE
        -Wall -Wextra -Werror
        -Wshadow -Wundef -Wvla -Wformat=2 -Wnull-dereference
        -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
        -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough
        -Wno-unused-parameter # callbacks share one signature
        -Wno-missing-field-initializers # tables leave out what is zero
        -fno-strict-aliasing -fno-omit-frame-pointer)
target_compile_definitions(agenttest-warnings INTERFACE _GNU_SOURCE)
