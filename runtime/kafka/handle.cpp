#include "runtime/kafka/handle.hpp"

#include <syslog.h>
#include <unistd.h>

#include <cctype>

#include <fmt/format.h>

namespace weir::kafka {

namespace {

using namespace std::chrono_literals;

/// A client in trouble repeats itself: this many lines, then silence.
constexpr auto log_window = 10s;
constexpr int lines_per_window = 10;
constexpr auto reason_age = 30s;

thread_local std::vector<queue_errors::entry>* draining = nullptr;

/// "[thrd:127.0.0.1:9092/1]: 127.0.0.1:9092/1: Connect to …" without the
/// thread's name.
std::string_view without_thread(std::string_view text) {
  auto end = text.find("]: ");
  if (text.starts_with("[thrd:") && end != std::string_view::npos)
    return text.substr(end + 3);
  return text;
}

} // namespace

queue_errors::queue_errors(std::vector<entry>& into) noexcept {
  draining = &into;
}

queue_errors::~queue_errors() {
  draining = nullptr;
}

result<std::shared_ptr<handle>> handle::open(rd_kafka_type_t type,
                                             configuration with,
                                             std::shared_ptr<outage> of) {
  std::shared_ptr<handle> made{new handle{std::move(of)}};
  auto* conf = with.raw();
  rd_kafka_conf_set_opaque(conf, made.get());
  rd_kafka_conf_set_log_cb(conf, log_callback);
  rd_kafka_conf_set_closesocket_cb(conf, close_callback);
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    made->destroy_guard_.attach(conf);
  } else {
    rd_kafka_conf_set_error_cb(conf, error_callback);
  }
  char why[512] = {};
  made->raw_ = rd_kafka_new(type, conf, why, sizeof why);
  if (made->raw_ == nullptr)
    return fail(ec::bad_argument, fmt::format("Kafka client for {}: {}",
                                              made->cluster().brokers(), why));
  with.release();
  return made;
}

handle::~handle() {
  if (raw_ != nullptr)
    rd_kafka_destroy_flags(raw_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void handle::log_callback(const rd_kafka_t* client, int level,
                          const char* facility, const char* text) noexcept {
  if (auto* self = static_cast<handle*>(rd_kafka_opaque(client))) {
    log_scope scope{self->log_};
    self->on_log(level, facility, text);
  }
}

void handle::error_callback(rd_kafka_t*, int code, const char* text,
                            void* opaque) noexcept {
  auto what = static_cast<rd_kafka_resp_err_t>(code);
  if (draining != nullptr)
    return draining->push_back({what, text});
  auto* self = static_cast<handle*>(opaque);
  log_scope scope{self->log_};
  self->on_error(what, text);
}

int handle::close_callback(int socket, void* opaque) noexcept {
  ++static_cast<handle*>(opaque)->faults_;
  return ::close(socket);
}

void handle::on_log(int level, std::string_view facility,
                    std::string_view text) {
  text = without_thread(text);
  if (facility == "REQTMOUT")
    ++faults_;
  // Connections come and go by design, and `outage` says it once; properties
  // are handed to every kind of handle on purpose; an id that cannot be
  // initialised is the caller's to report.
  if (facility == "FAIL" || facility == "CONFWARN" || facility == "TERMINATE" ||
      facility == "GETPID" || level > LOG_WARNING) {
    if (facility == "FAIL")
      remember(text);
    log_debug("kafka.log", "facility", facility, "text", text);
    return;
  }
  if (may_log())
    log_warning("kafka.log", "facility", facility, "text", text);
}

void handle::on_error(rd_kafka_resp_err_t code, const std::string& text) {
  if (is_unreachable(code)) {
    ++faults_;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      remember(text);
      return;
    }
    auto reason = current_reason();
    outage_->all_brokers_down(reason.empty() ? text : reason);
    return;
  }
  // Refused (SSL, authentication, authorisation), or a fatal producer error.
  remember(text);
  if (may_log())
    log_warning("kafka.error", "code", rd_kafka_err2name(code), "text", text);
}

bool handle::may_log() {
  auto now = std::chrono::steady_clock::now();
  std::lock_guard guard{mutex_};
  if (now - window_ > log_window) {
    window_ = now;
    logged_in_window_ = 0;
  }
  return ++logged_in_window_ <= lines_per_window;
}

void handle::remember(std::string_view reason) {
  std::lock_guard guard{mutex_};
  last_reason_ = reason;
  last_reason_at_ = std::chrono::steady_clock::now();
}

std::string handle::current_reason() const {
  std::lock_guard guard{mutex_};
  auto age = std::chrono::steady_clock::now() - last_reason_at_;
  // The client says an unchanged reason only now and then.
  return age < reason_age || outage_->down() ? last_reason_ : std::string{};
}

error handle::explain(rd_kafka_resp_err_t code, std::string_view what) const {
  if (!is_unreachable(code))
    return make_error(code, what);
  auto reason = current_reason();
  // A time-out with a broken connection behind it is a broken connection.
  auto seen = reason.empty() ? code_of(code) : ec::disconnected;
  return {seen, fmt::format("{}: no answer from Kafka at {}: {}", what,
                            outage_->brokers(),
                            reason.empty() ? text_of(code) : reason)};
}

} // namespace weir::kafka
