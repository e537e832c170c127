// A definition without its types: what the library knows of it.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weir/detail/store_core.hpp"
#include "weir/error.hpp"
#include "weir/policies.hpp"

namespace weir {

/// What a definition is.
enum class role { input, output, internal, store };

namespace detail {

/// How one side of a topic or store is called and shown. A constant for each
/// type: pointers to it tell types apart.
struct text_ops {
  /// Its structure: "text", "i64", "{price:f64,quantity:i64}".
  std::string (*type)();
  /// Appends the JSON of bytes. Null = there is none of this type.
  /// Errors: `bad_format`, they are not those of such a value, or it has no
  /// JSON (NaN, text that is not UTF-8).
  result<void> (*show)(std::string_view bytes, std::string& json);
  /// Appends the bytes of JSON. Errors: `bad_format`.
  result<void> (*parse)(std::string_view json, std::string& bytes);
  /// Its bytes are the text itself.
  bool text = false;
};

} // namespace detail

/// The definitions that feed an internal topic. None = all inputs.
class from {
public:
  constexpr from() = default;
  template <class... Definitions>
    requires(sizeof...(Definitions) > 0)
  constexpr explicit from(const Definitions&... sources)
      : names_{std::string_view{sources.name}...},
        count_(sizeof...(Definitions)) {
    static_assert(sizeof...(Definitions) <= most, "at most 8 sources");
  }
  constexpr std::span<const std::string_view> names() const noexcept {
    return {names_.data(), count_};
  }

private:
  static constexpr std::size_t most = 8;
  std::array<std::string_view, most> names_{};
  std::size_t count_ = 0;
};

/// One definition of a job.
struct part {
  weir::role role;
  std::string_view name;
  /// Null = none.
  const detail::text_ops* key = nullptr;
  const detail::text_ops* value = nullptr;
  /// Of a store.
  const detail::store_spec* store = nullptr;
  bool local = false;
  /// Of an input.
  std::optional<bad_record_policy> on_bad{};
  /// Of an internal topic.
  from sources{};
  bool loop = false;
};

} // namespace weir
