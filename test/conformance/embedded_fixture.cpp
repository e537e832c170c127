#include "test/conformance/embedded_fixture.hpp"

#include <stdexcept>

#include "test/servers/log_editor.hpp"

namespace weir::test {

namespace {

template <class T>
T opened(result<T> x) {
  if (!x)
    throw std::runtime_error{to_string(x.error())};
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

} // namespace

embedded_fixture::embedded_fixture(embedded_fixture_options options)
    : options_(std::move(options)) {
  if (!options_.world)
    options_.world = make_outside_world();
  options_.database.directory = directory_.path() + "/data";
  opened(open());
}

embedded_fixture::~embedded_fixture() = default;

std::shared_ptr<embedded_database> embedded_fixture::open_database() {
  return opened(open_embedded(options_.database, *options_.world));
}

result<void> embedded_fixture::open() {
  auto database = open_embedded(options_.database, *options_.world);
  if (!database)
    return fail(database.error());
  auto made = make_embedded_streams(std::move(*database), options_.world,
                                    options_.streams);
  if (!made)
    return fail(made.error());
  streams_ = std::move(*made);
  return {};
}

void embedded_fixture::reopen() {
  close();
  opened(open());
}

void embedded_fixture::drop_head(const std::string& topic,
                                 std::int32_t partition, std::int64_t low) {
  close();
  opened(log_editor{open_database()}.drop_head(topic, partition, low));
  opened(open());
}

} // namespace weir::test
