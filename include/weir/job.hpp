// The description of a job: a value, checked before anything runs.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/detail/describe.hpp"
#include "weir/detail/export.hpp"
#include "weir/error.hpp"

namespace weir {

namespace detail {

template <class D>
constexpr part describe_any(const D& x) {
  static_assert(definition<D>, "a job lists definitions (weir::input, output, "
                               "store, ...), not names");
  if constexpr (definition<D>)
    return describe(x);
  else
    return {};
}

} // namespace detail

/// What an application reads, keeps and writes.
///
///   weir::job{"stock", ticks, quotes, changes}
///
/// The definitions are constants: it keeps pointers to what they say.
class WEIR_EXPORT job {
public:
  template <class... Definitions>
  explicit job(std::string name, const Definitions&... parts)
      : job(std::move(name), {detail::describe_any(parts)...}) {}
  /// What is not known before the program runs.
  job(std::string name, std::vector<part> parts);

  // -- for one run

  /// `--job`
  job& rename(std::string name);
  /// `--input-topic`, `--output-topic`: what the topic is called.
  template <definition D>
  job& bind(const D& declared, std::string actual) {
    return bind_topic(std::string_view{declared.name}, std::move(actual));
  }
  job& bind_topic(std::string_view declared, std::string actual);

  const std::string& name() const noexcept { return name_; }
  std::span<const part> parts() const noexcept { return parts_; }
  /// Null: it has no such part.
  const part* find(role what, std::string_view name) const noexcept;

  /// Declared names, in the order of the definitions; `topic` tells the actual
  /// one.
  const std::vector<std::string>& inputs() const noexcept { return inputs_; }
  const std::vector<std::string>& outputs() const noexcept { return outputs_; }
  const std::vector<std::string>& stores() const noexcept { return stores_; }
  const std::vector<std::string>& internals() const noexcept {
    return internals_;
  }
  /// All that is read: inputs, then internal topics.
  const std::vector<std::string>& sources() const noexcept { return sources_; }
  /// All that is written: outputs, then internal topics.
  const std::vector<std::string>& targets() const noexcept { return targets_; }
  std::string topic(const std::string& declared) const;
  std::string changelog() const { return name_ + "-changelog"; }
  std::string dead_letter() const { return name_ + "-dead-letter"; }

  /// Names are [A-Za-z0-9_-]{1,100} for the job (no dot: rule C8), legal topic
  /// names, no duplicates, at least one input. Errors: `bad_argument`.
  result<void> check() const;

private:
  std::vector<std::string>& names_of(role what);
  result<void> check_sources(const part& of) const;
  bool feeds(const part& from, const part& to) const;

  std::string name_;
  std::vector<part> parts_;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
  std::vector<std::string> stores_;
  std::vector<std::string> internals_;
  std::vector<std::string> sources_;
  std::vector<std::string> targets_;
  std::map<std::string, std::string> bound_;
};

} // namespace weir
