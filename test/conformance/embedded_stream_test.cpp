// The stream suite against the embedded log.
#include "test/conformance/embedded_fixture.hpp"

namespace weir::test {

std::unique_ptr<stream_fixture> make_stream_fixture() {
  return std::make_unique<embedded_fixture>();
}

} // namespace weir::test
