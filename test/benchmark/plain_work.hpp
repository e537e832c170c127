// What the plain loop does with its records.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "test/benchmark/kafka_client.hpp"

namespace weir::bench {

/// The work of one thread of the loop, and its state in memory.
class plain_work {
public:
  virtual ~plain_work() = default;

  /// Takes one record; answers the value to send under the record's key, valid
  /// until the next call.
  virtual std::optional<std::string_view>
  process(const rd_kafka_message_t& x) = 0;

  using change = std::function<void(int partition, std::string_view key,
                                    std::string_view state)>;
  /// Every key that has changed since the last call. False: none.
  virtual bool take_changes(const change& take) = 0;
};

/// The stock job: scans the JSON by hand, keeps quotes in a hash map.
std::unique_ptr<plain_work> make_stock_work();
/// The same, but reads each tick with the application's parser.
std::unique_ptr<plain_work> make_parsing_stock_work();
/// The shapes' (shape.hpp).
std::unique_ptr<plain_work> make_shape_work();

} // namespace weir::bench
