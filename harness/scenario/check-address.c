/* SPDX-License-Identifier: MIT */
#include "scenario/check-address.h"

#include "base/socket-address.h"
#include "scenario/template.h"

void check_address(const Value *address, DiagnosticList *diagnostics) {
        SocketAddress parsed;

        if (address->text && !template_has_variables(address->text) &&
                        socket_address_parse(address->text, &parsed) < 0)
                diagnostic_add(diagnostics, address->mark, 0,
                                "`address` takes " SOCKET_ADDRESS_FORMS ", and this is \"%s\"", address->text);
}
