#include "runtime/kafka/destroy_guard.hpp"

namespace weir::kafka {

namespace {

constexpr const char* name = "weir-destroy-guard";
/// Kafka protocol, API keys.
constexpr std::int16_t add_partitions_to_txn = 24;

} // namespace

void destroy_guard::attach(rd_kafka_conf_t* to) noexcept {
  rd_kafka_conf_interceptor_add_on_new(to, name, on_new, this);
}

rd_kafka_resp_err_t destroy_guard::on_new(rd_kafka_t* client,
                                          const rd_kafka_conf_t*, void* self,
                                          char*, std::size_t) noexcept {
  rd_kafka_interceptor_add_on_thread_start(client, name, on_thread_start, self);
  rd_kafka_interceptor_add_on_thread_exit(client, name, on_thread_exit, self);
  rd_kafka_interceptor_add_on_response_received(client, name, on_response,
                                                self);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t destroy_guard::on_thread_start(rd_kafka_t*,
                                                   rd_kafka_thread_type_t type,
                                                   const char*,
                                                   void* self) noexcept {
  if (type == RD_KAFKA_THREAD_MAIN)
    static_cast<destroy_guard*>(self)->main_thread_ =
        std::this_thread::get_id();
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t destroy_guard::on_thread_exit(rd_kafka_t*,
                                                  rd_kafka_thread_type_t type,
                                                  const char*,
                                                  void* self) noexcept {
  if (type != RD_KAFKA_THREAD_MAIN)
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  auto& guard = *static_cast<destroy_guard*>(self);
  {
    std::lock_guard lock{guard.mutex_};
    guard.has_left_ = true;
  }
  guard.main_left_.notify_all();
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// Called before the client's own handler of the response.
rd_kafka_resp_err_t destroy_guard::on_response(
    rd_kafka_t*, int, const char*, std::int32_t, std::int16_t api_key,
    std::int16_t, std::int32_t, std::size_t, std::int64_t,
    rd_kafka_resp_err_t code, void* self) noexcept {
  if (api_key != add_partitions_to_txn || code != RD_KAFKA_RESP_ERR__DESTROY)
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  auto& guard = *static_cast<destroy_guard*>(self);
  // What it drops itself, it has counted.
  if (guard.main_thread_ == std::this_thread::get_id())
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  std::unique_lock lock{guard.mutex_};
  guard.main_left_.wait(lock, [&guard] { return guard.has_left_; });
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

} // namespace weir::kafka
