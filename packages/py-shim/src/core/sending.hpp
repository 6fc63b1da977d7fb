// Sending from Python: what send(), try_send() and the end of a loan's `with` block share.
#pragma once

#include <cstddef>
#include <optional>

#include "loan_object.hpp"
#include "memlane/publisher.hpp"
#include "payload.hpp"
#include "ports.hpp"
#include "python.hpp"

namespace memlane::python {

/// Copies a payload, without the GIL if that takes long.
void copy_payload(const Payload& payload, std::byte* destination);

/// A loan that holds a copy of `object`.
[[nodiscard]] Loan lend_copy(Publisher& publisher, py::handle object);

/// The arguments are those of Publisher.send. Returns how many subscribers it went to.
std::size_t send_loan(Publisher& publisher, LoanObject& loan, py::handle encoding, py::handle user_header,
                      py::handle timeout);
std::size_t send_object(const PublisherObject& self, py::handle object, py::handle encoding, py::handle user_header,
                        py::handle timeout);

/// Nothing: a queue is full, and nobody got it.
std::optional<std::size_t> try_send_object(const PublisherObject& self, py::handle object, py::handle encoding,
                                           py::handle user_header);

}  // namespace memlane::python
