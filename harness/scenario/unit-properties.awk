#!/usr/bin/awk -f
# SPDX-License-Identifier: MIT
# /lib/systemd/systemd --dump-configuration-items | harness/scenario/unit-properties.awk > harness/scenario/unit-properties.c
BEGIN {
        print "/* SPDX-License-Identifier: MIT */"
        print "/*"
        print " * Generated: what a unit file may say, by section. Made on Debian 12 (systemd 252) by"
        print " *"
        print " *     /lib/systemd/systemd --dump-configuration-items | harness/scenario/unit-properties.awk"
        print " *"
        print " * For a newer systemd, run it again there."
        print " */"
        print "/* clang-format off */"
        print "#include \"scenario/unit-property.h\""
        print ""
        print "const UnitProperty unit_properties[] = {"
}
/^\[/ { section = substr($0, 2, length($0) - 2) }
/^[A-Za-z]+=/ { printf "        { \"%s\", \"%s\" },\n", section, substr($0, 1, index($0, "=") - 1) }
END {
        print "        { NULL, NULL },"
        print "};"
}
