#include "runtime/coordination/coordination.hpp"

namespace weir {

namespace {

/// Creates the path's prefixes one after the other; each callback starts the
/// next step, so nothing blocks.
struct ensure_walk : std::enable_shared_from_this<ensure_walk> {
  coordination* session;
  std::string path;
  std::string data;
  coordination::callback<void> done;

  void step(std::size_t from) {
    auto slash = path.find('/', from);
    bool last = slash == std::string::npos;
    auto prefix = last ? path : path.substr(0, slash);
    auto self = shared_from_this();
    session->create(prefix, last ? data : std::string{},
                    create_mode::persistent,
                    [self, slash, last](result<std::string> made) {
                      if (!made && made.error().code() != ec::already_exists)
                        self->done(fail(made.error()));
                      else if (last)
                        self->done({});
                      else
                        self->step(slash + 1);
                    });
  }
};

} // namespace

void coordination::ensure(const std::string& path, std::string data,
                          callback<void> done) {
  auto walk = std::make_shared<ensure_walk>();
  walk->session = this;
  walk->path = path;
  walk->data = std::move(data);
  walk->done = std::move(done);
  walk->step(1);
}

} // namespace weir
