// The log that a command line of the tests names: a broker's, or that of a
// stopped embedded job.
#pragma once

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "runtime/leveldb/database.hpp"
#include "runtime/stream/stream.hpp"

namespace weir::test {

struct log_place {
  /// One of them is empty.
  std::string kafka;
  std::string data;
};

inline void add_options(CLI::App& to, log_place& place) {
  to.add_option("--kafka", place.kafka);
  to.add_option("--data", place.data, "of an embedded job");
}

result<std::shared_ptr<embedded_database>>
open_database(const log_place& place);
result<std::unique_ptr<stream_system>> open_streams(const log_place& place);

/// Ends the program when `x` is an error.
template <class T>
T must(result<T> x) {
  if (!x) {
    std::cerr << to_string(x.error()) << '\n';
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

} // namespace weir::test
