// All that an application needs.
#pragma once

#include "weir/application.hpp"
#include "weir/error.hpp"
#include "weir/job.hpp"
#include "weir/json.hpp"
#include "weir/record.hpp"
#include "weir/store.hpp"
#include "weir/task.hpp"
#include "weir/topic.hpp"
