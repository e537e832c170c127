// Lets a transactional producer be destroyed at any moment.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace weir::kafka {

/// librdkafka 2.0.2 counts an AddPartitionsToTxn request after it has queued
/// it, on its main thread. When the handle is destroyed in between, the
/// broker's thread drops the request, counts it down from nothing, and an
/// assertion ends the process. Here the broker's thread first waits until the
/// main thread has left its loop, and so has counted (rule L3: a lane is given
/// up whatever its transaction is doing).
///
/// Outlives the client that it was attached to.
class destroy_guard {
public:
  destroy_guard() = default;
  destroy_guard(const destroy_guard&) = delete;
  destroy_guard& operator=(const destroy_guard&) = delete;

  /// For the client that is made of this configuration.
  void attach(rd_kafka_conf_t* to) noexcept;

private:
  static rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t*,
                                    void* self, char*, std::size_t) noexcept;
  static rd_kafka_resp_err_t on_thread_start(rd_kafka_t*,
                                             rd_kafka_thread_type_t type,
                                             const char*, void* self) noexcept;
  static rd_kafka_resp_err_t on_thread_exit(rd_kafka_t*,
                                            rd_kafka_thread_type_t type,
                                            const char*, void* self) noexcept;
  static rd_kafka_resp_err_t
  on_response(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t api_key,
              std::int16_t, std::int32_t, std::size_t, std::int64_t,
              rd_kafka_resp_err_t code, void* self) noexcept;

  std::atomic<std::thread::id> main_thread_;
  std::mutex mutex_;
  std::condition_variable main_left_;
  bool has_left_ = false;
};

} // namespace weir::kafka
