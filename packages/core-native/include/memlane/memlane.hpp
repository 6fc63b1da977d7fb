// memlane: large data between processes of one machine, at memory speed. This header is all that a program includes.
#pragma once

#include "memlane/any_port.hpp"
#include "memlane/error.hpp"
#include "memlane/lane_name.hpp"
#include "memlane/loan.hpp"
#include "memlane/options.hpp"
#include "memlane/publisher.hpp"
#include "memlane/result.hpp"
#include "memlane/sample.hpp"
#include "memlane/subscriber.hpp"
#include "memlane/timeout.hpp"
#include "memlane/types/array_view.hpp"
#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"
#include "memlane/version.hpp"
#include "memlane/wait.hpp"
