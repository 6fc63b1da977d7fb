// What all kinds of port share.
#pragma once

#include <string>

namespace memlane {

/// One end of a lane: the part that every kind of port has. All of it may be called from any thread.
class AnyPort {
 public:
  virtual ~AnyPort() = default;
  AnyPort(const AnyPort&) = delete;
  AnyPort& operator=(const AnyPort&) = delete;

  /// The lane's name.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// The port's one waitable descriptor, for poll, epoll or an event loop; the port keeps and closes it. Readable whenever
  /// there may be something; a take (or a try) that finds nothing makes it quiet again.
  [[nodiscard]] virtual int fileno() = 0;
  /// Whether a take would find a sample, or a send would find room. If not, the descriptor is quiet until it would.
  [[nodiscard]] virtual bool ready() = 0;
  /// Leaves the lane. The second time does nothing.
  virtual void close() = 0;
  [[nodiscard]] virtual bool closed() const = 0;
  /// Ends every call of the port that waits now, as if its time were over. Later calls wait again.
  virtual void stop() = 0;

 protected:
  AnyPort() = default;
  AnyPort(AnyPort&&) = default;
  AnyPort& operator=(AnyPort&&) = default;
};

}  // namespace memlane
