// An embedded log in a directory of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "runtime/embedded/streams.hpp"
#include "test/conformance/stream_suite.hpp"

namespace weir::test {

/// Created empty, removed at the end.
class temporary_directory {
public:
  temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory();

  std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

/// The stream suite's fixture. Throws std::runtime_error where opening fails.
class embedded_fixture final : public stream_fixture {
public:
  explicit embedded_fixture(embedded_stream_options options = {});
  ~embedded_fixture() override;

  stream_system& streams() override { return *streams_; }
  void reopen() override;
  void drop_head(const std::string& topic, std::int32_t partition,
                 std::int64_t low) override;

private:
  std::shared_ptr<embedded_database> open_database();
  void open();
  void close();

  temporary_directory directory_;
  embedded_stream_options options_;
  std::shared_ptr<outside_world> world_;
  std::unique_ptr<stream_system> streams_;
};

} // namespace weir::test
