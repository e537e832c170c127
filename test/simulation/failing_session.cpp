#include "test/simulation/failing_session.hpp"

#include <utility>

namespace weir::sim {

namespace {

class failing_session final : public coordination {
public:
  failing_session(std::unique_ptr<coordination> base, planned_failures& planned,
                  std::function<void()> expire)
      : base_(std::move(base)), planned_(planned), expire_(std::move(expire)) {}

  std::string describe() const override { return base_->describe(); }
  std::string path_on_server(const std::string& path) const override {
    return base_->path_on_server(path);
  }

  void create(const std::string& path, std::string data, create_mode mode,
              callback<std::string> done) override {
    if (!fails(node_call::write_claim, path, done))
      base_->create(path, std::move(data), mode, std::move(done));
  }
  void get(const std::string& path, watcher watch,
           callback<znode> done) override {
    if (!fails(node_call::read_claim, path, done))
      base_->get(path, std::move(watch), std::move(done));
  }
  void set(const std::string& path, std::string data, std::int32_t version,
           callback<znode_stat> done) override {
    if (!fails(node_call::write_claim, path, done))
      base_->set(path, std::move(data), version, std::move(done));
  }
  void remove(const std::string& path, std::int32_t version,
              callback<void> done) override {
    base_->remove(path, version, std::move(done));
  }
  void children(const std::string& path, watcher watch,
                callback<std::vector<std::string>> done) override {
    base_->children(path, std::move(watch), std::move(done));
  }
  void multi(std::vector<znode_op> ops, callback<void> done) override {
    base_->multi(std::move(ops), std::move(done));
  }
  void sync(const std::string& path, callback<void> done) override {
    base_->sync(path, std::move(done));
  }
  std::int64_t session_id() const noexcept override {
    return base_->session_id();
  }
  std::chrono::milliseconds session_timeout() const noexcept override {
    return base_->session_timeout();
  }
  std::chrono::milliseconds since_last_contact() const noexcept override {
    return base_->since_last_contact();
  }
  void close() override { base_->close(); }

private:
  template <class T>
  bool fails(node_call at, const std::string& path, const callback<T>& done) {
    if (path.find("/tasks/") == path.npos)
      return false;
    auto why = planned_.hit(at);
    if (!why)
      return false;
    if (why->code() == ec::session_expired)
      expire_();
    // For its thread and its turn; without a session it fails by itself.
    base_->sync(path, [done, why = *why](result<void>) { done(fail(why)); });
    return true;
  }

  std::unique_ptr<coordination> base_;
  planned_failures& planned_;
  std::function<void()> expire_;
};

} // namespace

std::unique_ptr<coordination>
make_failing_session(std::unique_ptr<coordination> base,
                     planned_failures& planned, std::function<void()> expire) {
  return std::make_unique<failing_session>(std::move(base), planned,
                                           std::move(expire));
}

} // namespace weir::sim
