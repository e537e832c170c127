// An application: a job, its task, and what the commands need to know of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <charconv>
#include <type_traits>

#include "actors/task/task.hpp"
#include "runtime/job/job.hpp"
#include "runtime/stream/record_source.hpp"

namespace weir {

/// What `generate` was asked for.
struct generate_request {
  std::optional<std::string> file;
  std::optional<std::uint64_t> synthetic;
  std::uint32_t symbols = 2'000;
  std::uint64_t seed = 1;
};

using source_factory = std::function<result<std::unique_ptr<record_source>>(
    const generate_request&)>;

/// How `get` and `dump` show one store.
struct store_inspector {
  std::string store;
  /// Encoded key of what the user typed. Errors: `bad_argument`.
  std::function<result<std::string>(const std::string& text)> encode_key;
  /// JSON of encoded bytes. Errors: `bad_format`.
  std::function<result<std::string>(std::string_view bytes)> key_json;
  std::function<result<std::string>(std::string_view bytes)> value_json;
};

namespace detail {

std::string json_of_string(const std::string& x);

template <class Value>
std::string plain_json(const Value& x) {
  if constexpr (std::is_same_v<Value, std::string>) {
    return json_of_string(x);
  } else {
    static_assert(std::is_arithmetic_v<Value>,
                  "give inspect a function that makes JSON of this type");
    char text[64];
    return {text, std::to_chars(text, text + sizeof text, x).ptr};
  }
}

template <class Key>
result<std::string> encode_typed_key(const std::string& text) {
  Key key{};
  if constexpr (std::is_same_v<Key, std::string>) {
    key = text;
  } else {
    static_assert(std::is_arithmetic_v<Key>,
                  "give store_inspector's functions for other key types");
    auto end = text.data() + text.size();
    auto [rest, problem] = std::from_chars(text.data(), end, key);
    if (problem != std::errc{} || rest != end)
      return fail(ec::bad_argument,
                  "'" + text + "' is not a key of this store");
  }
  std::string out;
  detail::key_order<Key>::put(key, out);
  return out;
}

template <class Key>
result<std::string> typed_key_json(std::string_view bytes) {
  Key key{};
  if (!detail::key_order<Key>::get(bytes, key))
    return fail(ec::bad_format, "a key of the store does not decode");
  return plain_json(key);
}

} // namespace detail

/// The commands of an application's binary: run, generate, get, dump,
/// topology, resume, reset, adopt. A value; `main` does the work.
class application {
public:
  application(weir::job of, task_factory factory)
      : job_(std::move(of)), factory_(std::move(factory)) {}

  /// Enables `generate`.
  application& source(source_factory make) {
    source_ = std::move(make);
    return *this;
  }

  /// Enables `get` and `dump` for a store; the first is their default.
  application& inspect(store_inspector x) {
    inspectors_.push_back(std::move(x));
    return *this;
  }
  /// `to_json` may be left out for strings and numbers.
  template <class Key, class Value>
  application& inspect(const std::string& store,
                       std::function<std::string(const Value&)> to_json =
                           detail::plain_json<Value>) {
    store_inspector x;
    x.store = store;
    x.encode_key = detail::encode_typed_key<Key>;
    x.key_json = detail::typed_key_json<Key>;
    x.value_json = [to_json](std::string_view bytes) -> result<std::string> {
      Value value{};
      if (!detail::is_ok(serde<Value>{}.decode(bytes, value)))
        return fail(ec::bad_format, "a value of the store does not decode");
      return to_json(value);
    };
    return inspect(std::move(x));
  }

  /// Parses the command line, runs one command, answers the exit code.
  int main(int argc, char** argv);

  const weir::job& description() const noexcept { return job_; }
  const task_factory& factory() const noexcept { return factory_; }
  const source_factory& generator() const noexcept { return source_; }
  const std::vector<store_inspector>& inspectors() const noexcept {
    return inspectors_;
  }

private:
  weir::job job_;
  task_factory factory_;
  source_factory source_;
  std::vector<store_inspector> inspectors_;
};

/// The whole of a simple application's `main`.
template <class Task>
int run(job of, int argc, char** argv) {
  return application{std::move(of), make_task_factory<Task>()}.main(argc, argv);
}

} // namespace weir
