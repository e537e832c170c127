// What every implementation of the stream interface must do. The test cases are
// in the object library `weir_stream_suite`; an executable links it and defines
// `make_stream_fixture`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/stream/stream.hpp"

namespace weir::test {

/// The implementation under test; one fixture a test case. Readers and
/// producers of a test are gone before its fixture and before `reopen`.
class stream_fixture {
public:
  virtual ~stream_fixture() = default;

  virtual stream_system& streams() = 0;

  /// A name that nobody has used yet: topics, transactional ids and groups of
  /// different tests and runs never meet.
  virtual std::string unique(const std::string& stem);

  /// Destroys the stream system and makes another one on the same data, as a
  /// restarted process does.
  virtual void reopen() = 0;

  /// Deletes the records of a partition below `low`, as retention does.
  virtual void drop_head(const std::string& topic, std::int32_t partition,
                         std::int64_t low) = 0;
};

/// Defined once in every executable that links the suite.
std::unique_ptr<stream_fixture> make_stream_fixture();

} // namespace weir::test
