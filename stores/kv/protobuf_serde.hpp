// Protobuf messages as values. Opt-in by this include; link libprotobuf.
#pragma once

#include <climits>
#include <concepts>
#include <string>
#include <string_view>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>

#include "stores/kv/store_error.hpp"
#include "weir/serde.hpp"

namespace weir {

/// Deterministic within one build (maps are sorted), so that equal messages
/// have equal bytes; still not a key: other builds may order fields otherwise.
/// Encoding throws `store_error` with `bad_format` for a message without a
/// required field or beyond 2 GiB.
template <std::derived_from<google::protobuf::MessageLite> T>
struct serde<T> {
  static void encode(const T& x, std::string& out) {
    if (!x.IsInitialized())
      throw store_error{ec::bad_format, x.GetTypeName() +
                                            ": required fields are missing: " +
                                            x.InitializationErrorString()};
    bool written = x.ByteSizeLong() <= INT_MAX;
    if (written) {
      google::protobuf::io::StringOutputStream target{&out};
      google::protobuf::io::CodedOutputStream stream{&target};
      stream.SetSerializationDeterministic(true);
      written = x.SerializeToCodedStream(&stream);
    }
    if (!written)
      throw store_error{ec::bad_format,
                        x.GetTypeName() + ": larger than 2 GiB"};
  }

  static bool decode(std::string_view in, T& x) {
    return in.size() <= INT_MAX &&
           x.ParseFromArray(in.data(), static_cast<int>(in.size()));
  }
};

} // namespace weir
