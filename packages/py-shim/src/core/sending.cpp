#include "sending.hpp"

#include <string>
#include <utility>

#include "arguments.hpp"
#include "gil.hpp"

namespace memlane::python {

namespace {

// Bytes from which a copy takes longer (some 10 us) than other threads should wait for the GIL.
constexpr std::size_t long_copy = 256 * 1024;

/// Whether the send computes a checksum for as long as that.
bool takes_long(const Publisher& publisher, const Loan& loan) {
  return publisher.port().checks() && loan.size() >= long_copy;
}

/// encoding and user_header as the core takes them, with what they point to.
class SendInfoOf {
 public:
  SendInfoOf(py::handle encoding, py::handle user_header) {
    if (!encoding.is_none()) encoding_ = text(encoding, "encoding");
    if (user_header.is_none()) return;
    const Payload header(user_header);
    user_header_.resize(header.byte_count());
    header.copy_to(user_header_.data());
  }
  [[nodiscard]] SendInfo info() const noexcept { return {encoding_, user_header_}; }

 private:
  std::string encoding_;
  std::vector<std::byte> user_header_;
};

/// `...` is the publisher's own.
Timeout send_timeout(const Publisher& publisher, py::handle value) {
  return value.is(py::ellipsis()) ? publisher.port().send_timeout() : timeout(value);
}

std::optional<std::size_t> try_give(Publisher& publisher, Loan& loan, const SendInfo& info) {
  const auto send = [&] { return publisher.try_send(loan, info); };
  auto sent = takes_long(publisher, loan) ? without_gil(send) : send();
  if (sent) return *sent;
  if (sent.error().code() != ErrorCode::queue_full) throw sent.error();
  return std::nullopt;
}

std::size_t give(Publisher& publisher, Loan& loan, const SendInfo& info, Timeout timeout) {
  // Where there is room it takes a microsecond, and other threads keep their turns.
  if (const auto sent = try_give(publisher, loan, info)) return *sent;
  return wait_without_gil(
      [&](const detail::Interrupt& interrupt) { return publisher.send_within(loan, info, timeout, interrupt); });
}

}  // namespace

void copy_payload(const Payload& payload, std::byte* destination) {
  if (payload.byte_count() < long_copy) return payload.copy_to(destination);
  without_gil([&] { payload.copy_to(destination); });
}

Loan lend_copy(Publisher& publisher, py::handle object) {
  const Payload payload(object);
  if (payload.is_contiguous()) {
    return without_gil([&] { return publisher.loan_copy(payload.dtype(), payload.shape(), payload.bytes()); });
  }
  Loan loan = without_gil([&] { return publisher.loan(payload.dtype(), payload.shape()); });
  copy_payload(payload, loan.data());
  return loan;
}

std::size_t send_loan(Publisher& publisher, LoanObject& loan, py::handle encoding, py::handle user_header,
                      py::handle timeout) {
  const SendInfoOf info(encoding, user_header);
  const Timeout patience = send_timeout(publisher, timeout);
  return loan.send([&](Loan& lent) { return give(publisher, lent, info.info(), patience); });
}

std::size_t send_object(const PublisherObject& self, py::handle object, py::handle encoding, py::handle user_header,
                        py::handle timeout) {
  const auto publisher = self.port();
  if (py::isinstance<LoanObject>(object)) {
    return send_loan(*publisher, py::cast<LoanObject&>(object), encoding, user_header, timeout);
  }
  const SendInfoOf info(encoding, user_header);
  const Timeout patience = send_timeout(*publisher, timeout);
  Loan copy = lend_copy(*publisher, object);
  return give(*publisher, copy, info.info(), patience);
}

std::optional<std::size_t> try_send_object(const PublisherObject& self, py::handle object, py::handle encoding,
                                           py::handle user_header) {
  const auto publisher = self.port();
  const SendInfoOf info(encoding, user_header);
  if (py::isinstance<LoanObject>(object)) {
    return py::cast<LoanObject&>(object).send([&](Loan& lent) { return try_give(*publisher, lent, info.info()); });
  }
  Loan copy = lend_copy(*publisher, object);
  return try_give(*publisher, copy, info.info());
}

}  // namespace memlane::python
