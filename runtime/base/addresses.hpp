// Addresses of servers, as they stand on a command line.
#pragma once

#include <string>
#include <string_view>

#include "weir/error.hpp"

namespace weir {

/// "HOST:PORT": a host name, an IPv4 address or an IPv6 address in brackets.
bool is_host_and_port(std::string_view text) noexcept;

/// "HOST:PORT,HOST:PORT": without looking any of them up; the port may be
/// missing where `port_needed` is false.
/// Errors: `bad_argument` naming what is no address.
result<void> check_addresses(const std::string& text, bool port_needed);

} // namespace weir
