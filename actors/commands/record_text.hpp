// Records as the commands read and print them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/stream/feeder.hpp"
#include "weir/job.hpp"

namespace weir {

/// The bytes of one side as somebody typed it: a text as it is, else JSON.
/// Errors: `bad_argument`.
result<std::string> typed_bytes(const detail::text_ops& side,
                                std::string_view typed);

/// JSON of one side's bytes, on one line and always valid: what has no JSON
/// (text that is no UTF-8), or is no such value, is {"base64":…}.
std::string json_of(const detail::text_ops* side, std::string_view bytes);

/// A line of `produce`: of an input with a key the key, a tab and the value, of
/// one without the value alone, tabs too. Errors: `bad_argument`.
result<void> parse_line(const part& input, std::string_view line,
                        fed_record& out);
/// The same of {"key":…,"value":…,"headers":{…},"time":…}; a value of null is a
/// tombstone.
result<void> parse_json_line(const part& input, std::string_view line,
                             fed_record& out);

/// A record of `consume`: the key, a tab and the value, or JSON where that
/// would break the line. `declared` = null: of unknown types.
std::string line_of(const part* declared, const record& x);
/// {"topic":…,"partition":…,"offset":…,"time":…,"key":…,"value":…}
std::string json_line_of(const part* declared, const record& x);

} // namespace weir
