// One side of a topic's records: bytes made of values, and values of bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "weir/detail/task_parts.hpp"
#include "weir/format.hpp"

namespace weir::detail {

template <class F>
class side_writer {
  using inner = typename side<F>::inner;
  static constexpr bool is_text = std::is_same_v<inner, std::string> ||
                                  std::is_same_v<inner, std::string_view>;

public:
  /// Valid until the next call.
  raw_side write(param<F> x) {
    if constexpr (!side<F>::optional)
      return bytes(x);
    else if (x)
      return bytes(*x);
    else
      return {};
  }

private:
  template <class X>
  raw_side bytes(const X& x) {
    if constexpr (is_text) {
      return {x, true};
    } else {
      scratch_.clear();
      format_.encode(x, scratch_);
      return {scratch_, true};
    }
  }

  [[no_unique_address]] format<inner> format_;
  std::string scratch_;
};
template <>
class side_writer<none> {};

/// Decodes into an object that is kept. `View`: text is not copied.
template <class F, bool View>
class side_reader {
  using inner = typename side<F>::inner;
  static constexpr bool as_view = View && std::is_same_v<F, std::string>;
  using value = std::conditional_t<as_view, std::string_view, value_of<F>>;

public:
  using args = std::tuple<const value&>;

  /// False: `why` says what is wrong with the `what` of the record.
  bool read(const std::optional<std::string_view>& in, std::string_view what,
            std::string& why) {
    if (!in) [[unlikely]]
      return absent(what, why);
    if constexpr (as_view) {
      object_ = *in;
      return true;
    } else if constexpr (side<F>::optional) {
      if (!object_)
        object_.emplace();
      return judge(format_.decode(*in, *object_), what, why);
    } else {
      return judge(format_.decode(*in, object_), what, why);
    }
  }
  args get() const noexcept { return args{object_}; }

private:
  bool absent(std::string_view what, std::string& why) {
    if constexpr (side<F>::optional) {
      object_.reset();
      return true;
    } else {
      why.assign("the record has no ").append(what);
      return false;
    }
  }
  static bool judge(bool good, std::string_view what, std::string& why) {
    if (!good) [[unlikely]]
      why.assign("the ").append(what).append(" does not decode");
    return good;
  }
  static bool judge(const result<void>& done, std::string_view what,
                    std::string& why) {
    if (!done) [[unlikely]]
      why.assign("the ").append(what).append(": ").append(done.error().text());
    return done.has_value();
  }

  [[no_unique_address]] format<inner> format_;
  value object_{};
};

/// Not looked at.
template <bool View>
class side_reader<none, View> {
public:
  using args = std::tuple<>;
  bool read(const std::optional<std::string_view>&, std::string_view,
            std::string&) noexcept {
    return true;
  }
  args get() const noexcept { return {}; }
};

} // namespace weir::detail
