// JSON for user structs, through nlohmann. Opt-in:
//
//   NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(quote, price, quantity, change_rate)
//   template <> struct weir::serde<quote> : weir::json_serde<quote> {};
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "stores/kv/store_error.hpp"
#include "weir/serde.hpp"

namespace weir {

namespace detail {

inline bool all_finite(const nlohmann::json& x) {
  if (x.is_number_float())
    return std::isfinite(x.get<double>());
  if (x.is_structured())
    for (auto& part : x)
      if (!all_finite(part))
        return false;
  return true;
}

} // namespace detail

/// Needs nlohmann's `to_json` and `from_json` for T. Fields are sorted by name,
/// doubles have their shortest round-trip form. Encoding throws `store_error`
/// with `bad_format` for text that is not UTF-8 and for NaN and infinities,
/// which JSON does not have.
///
/// A store encodes a key once a commit, so this is mostly fast enough; a serde
/// written by hand may replace it, and stays compatible if it writes and reads
/// the same JSON.
template <class T>
struct json_serde {
  static void encode(const T& x, std::string& out) {
    try {
      nlohmann::json document = x;
      if (!detail::all_finite(document))
        throw store_error{ec::bad_format, "JSON has no NaN and no infinity: "
                                          "check the numbers before the put"};
      out += document.dump();
    } catch (const nlohmann::json::exception& what) {
      throw store_error{ec::bad_format,
                        std::string{"cannot be written as JSON: "} +
                            what.what()};
    }
  }

  static bool decode(std::string_view in, T& x) {
    auto document = nlohmann::json::parse(in, nullptr, false);
    if (document.is_discarded())
      return false;
    try {
      document.get_to(x);
    } catch (const nlohmann::json::exception&) {
      return false;
    }
    return true;
  }
};

} // namespace weir
