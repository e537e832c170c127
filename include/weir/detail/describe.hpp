// A definition without its types.
#pragma once

#include <concepts>
#include <string_view>

#include "weir/store.hpp"
#include "weir/topic.hpp"

namespace weir {

template <class D>
concept definition = requires(const D& x) {
  { x.name } -> std::convertible_to<std::string_view>;
  { D::kind } -> std::convertible_to<role>;
};

namespace detail {

template <definition D>
constexpr part describe(const D& x) {
  part out{D::kind, x.name};
  if constexpr (D::kind == role::store) {
    out.key = key_text<typename D::key_type>;
    out.value = value_text<typename D::value_format>;
    out.store = &spec_of<typename D::key_type, typename D::value_format>;
    out.local = x.options.local;
  } else {
    out.key = topic_text<typename D::key_format>();
    out.value = topic_text<typename D::value_format>();
  }
  if constexpr (D::kind == role::input) {
    out.on_bad = x.options.on_bad;
  } else if constexpr (D::kind == role::internal) {
    out.sources = x.sources;
    out.loop = x.options.loop;
  }
  return out;
}

} // namespace detail
} // namespace weir
