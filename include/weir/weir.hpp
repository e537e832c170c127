// All that an application needs.
#pragma once

#include "weir/application.hpp"
#include "weir/client.hpp"
#include "weir/error.hpp"
#include "weir/job.hpp"
#include "weir/json.hpp"
#include "weir/messages.hpp"
#include "weir/node.hpp"
#include "weir/record.hpp"
#include "weir/store.hpp"
#include "weir/task.hpp"
#include "weir/topic.hpp"
