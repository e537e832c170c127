// Lets a job have its inputs only while a test says so.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "test/driver/forwarding_streams.hpp"

namespace weir::testing::detail {

/// Shared by the readers of a node. One thread.
class input_gate {
public:
  bool is_open() const noexcept { return open_; }
  /// Open: whoever reads behind it is called.
  void set_open(bool x) {
    open_ = x;
    if (!x)
      return;
    auto all = waiting_;
    for (auto& [number, on_ready] : all)
      on_ready();
  }
  int add(std::function<void()> on_ready) {
    waiting_[++last_] = std::move(on_ready);
    return last_;
  }
  void remove(int number) { waiting_.erase(number); }

private:
  bool open_ = false;
  int last_ = 0;
  std::map<int, std::function<void()>> waiting_;
};

/// A closed gate looks like an input to which nothing comes.
class gated_reader final : public partition_reader {
public:
  gated_reader(std::unique_ptr<partition_reader> base,
               std::shared_ptr<input_gate> gate, std::function<void()> on_ready)
      : base_(std::move(base)), gate_(std::move(gate)),
        number_(gate_->add(std::move(on_ready))) {}
  ~gated_reader() override { gate_->remove(number_); }

  result<void> poll(record_batch& out, std::size_t max) override {
    if (gate_->is_open())
      return base_->poll(out, max);
    out.clear();
    return {};
  }
  std::int64_t position() const noexcept override { return base_->position(); }
  bool at_end() const noexcept override { return base_->at_end(); }

private:
  std::unique_ptr<partition_reader> base_;
  std::shared_ptr<input_gate> gate_;
  int number_;
};

/// The readers of these topics stand behind the gate.
class gated_streams final : public forwarding_streams {
public:
  gated_streams(std::shared_ptr<stream_system> base,
                std::shared_ptr<input_gate> gate, std::set<std::string> topics)
      : forwarding_streams(std::move(base)), gate_(std::move(gate)),
        topics_(std::move(topics)) {}

  result<std::unique_ptr<partition_reader>>
  open_reader(reader_options options) override {
    if (topics_.count(options.topic) == 0)
      return base().open_reader(std::move(options));
    auto on_ready = options.on_ready;
    auto opened = base().open_reader(std::move(options));
    if (!opened)
      return opened;
    return std::make_unique<gated_reader>(std::move(*opened), gate_,
                                          std::move(on_ready));
  }

private:
  std::shared_ptr<input_gate> gate_;
  std::set<std::string> topics_;
};

} // namespace weir::testing::detail
