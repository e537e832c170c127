// Bytes as text (RFC 4648, section 4: with padding, without line breaks).
#pragma once

#include <string>
#include <string_view>

#include "weir/serde.hpp"

namespace weir::detail {

/// Appends.
void to_base64(const bytes& x, std::string& out);
/// False: it is not base64, or not the only form of these bytes.
bool from_base64(std::string_view text, bytes& x);

} // namespace weir::detail
