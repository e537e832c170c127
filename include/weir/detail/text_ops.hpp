// How commands read and show what is in topics and stores.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "weir/detail/key_order.hpp"
#include "weir/detail/part.hpp"
#include "weir/detail/type_text.hpp"
#include "weir/json.hpp"

namespace weir::detail {

/// A side of a topic, a store's values: the bytes of their format.
template <class F>
struct format_codec {
  using type = type_of<F>;
  static bool decode(std::string_view in, type& x) {
    return is_ok(format<F>{}.decode(in, x));
  }
  static void encode(const type& x, std::string& out) {
    format<F>{}.encode(x, out);
  }
};

/// A store's keys: bytes that sort.
template <class K>
struct key_codec {
  using type = K;
  static bool decode(std::string_view in, type& x) {
    return key_order<K>::get(in, x);
  }
  static void encode(const type& x, std::string& out) {
    key_order<K>::put(x, out);
  }
};

template <class F>
inline constexpr bool is_json_format = false;
template <class T>
inline constexpr bool is_json_format<json<T>> = true;

template <class F, class Codec>
struct text_of {
  using T = typename Codec::type;
  /// JSON that is stored stays as it is: it may have more fields than T.
  static constexpr bool keeps_json = is_json_format<F>;

  static result<void> show(std::string_view bytes, std::string& json) {
    T x{};
    if (!Codec::decode(bytes, x))
      return fail(ec::bad_format, "the bytes are no " + type_text_of<F>());
    if (keeps_json && bytes.find('\n') == bytes.npos) {
      json += bytes;
      return {};
    }
    auto size = json.size();
    try {
      as_json<T>::write(x, json);
    } catch (const std::exception& why) {
      json.resize(size);
      return fail(ec::bad_format, why.what());
    }
    return {};
  }
  static result<void> parse(std::string_view json, std::string& bytes) {
    weir::json<T> reader;
    T x{};
    if (auto done = reader.decode(json, x); !done)
      return done;
    if (keeps_json)
      bytes += json;
    else
      Codec::encode(x, bytes);
    return {};
  }

  static constexpr bool known = has_json<T>;
  static constexpr text_ops make() {
    text_ops out{type_text_of<F>, nullptr, nullptr,
                 std::is_same_v<F, std::string> ||
                     std::is_same_v<F, std::string_view>};
    if constexpr (known) {
      out.show = show;
      out.parse = parse;
    }
    return out;
  }
  static constexpr text_ops ops = make();
};

template <class F>
constexpr const text_ops* topic_text() {
  if constexpr (std::is_same_v<F, none>)
    return nullptr;
  else
    // A value that may be absent is a record without one.
    return &text_of<typename side<F>::inner,
                    format_codec<typename side<F>::inner>>::ops;
}
template <class F>
inline constexpr const text_ops* value_text = &text_of<F, format_codec<F>>::ops;
template <class K>
inline constexpr const text_ops* key_text = &text_of<K, key_codec<K>>::ops;

} // namespace weir::detail
