// The demo's table: batches of frames of many sizes, sent to a Python program that acknowledges each.
//
//   measure --ffmpeg PROGRAM --sizes 640x640,1920x1080 --batches 1,4,8,16 --largest FRAMES [--memory-budget BYTES] FILE...
//
// The largest row is one batch of that many frames of the last size; 0 leaves it out. Results go to the standard output,
// one JSON object a line.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memlane/memlane.hpp>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "crc32.hpp"
#include "decoder.hpp"
#include "parent.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Batch = memlane::TypedLoan<std::uint8_t>;
using Milliseconds = std::chrono::duration<double, std::milli>;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

struct Timing {
  double send;          // milliseconds, median
  double acknowledged;  // the same, until the answer is here
};

class Measurement {
 public:
  explicit Measurement(const demo::Arguments& arguments)
      : arguments_(arguments),
        batches_("demo/batches", {.memory_budget = std::stoull(arguments.text_or("memory-budget", "0"))}),
        answers_("demo/answers") {
    if (!batches_.wait_for_subscribers(1, 60s) || !answers_.wait_for_publishers(1, 60s)) {
      throw std::runtime_error("the acknowledging program did not come");
    }
  }

  void row(demo::FrameSize size, std::size_t count) {
    const std::size_t bytes = size.bytes() * count;
    std::cout << "{\"width\":" << size.width << ",\"height\":" << size.height << ",\"count\":" << count
              << ",\"bytes\":" << bytes;
    try {
      // One batch stays ours and is the source of the copies, the others take their turns on a second one.
      batches_.reserve(bytes, 2);
      Batch source = filled(size, count);
      const std::uint32_t checksum = demo::crc32(std::as_bytes(source.span()));
      const std::size_t rounds = std::clamp<std::size_t>(400'000'000 / bytes, 3, 50);
      const Timing copy = measure(rounds, checksum, [&](const memlane::SendInfo& info) {
        const auto begin = Clock::now();
        batches_.send_copy(source.span(), source.shape(), info);
        return begin;
      });
      const Timing loan = measure(rounds, checksum, [&](const memlane::SendInfo& info) {
        // Filled before the clock runs, as a camera or a decoder would fill it.
        Batch batch = batches_.loan<std::uint8_t>(source.shape());
        std::ranges::copy(source.span(), batch.begin());
        const auto begin = Clock::now();
        batches_.send(std::move(batch), info);
        return begin;
      });
      std::cout << ",\"loan_send_ms\":" << loan.send << ",\"copy_send_ms\":" << copy.send
                << ",\"loan_acknowledged_ms\":" << loan.acknowledged
                << ",\"copy_acknowledged_ms\":" << copy.acknowledged << "}" << std::endl;
    } catch (const memlane::Error& error) {
      if (error.code() != memlane::ErrorCode::out_of_memory && error.code() != memlane::ErrorCode::budget_spent) throw;
      std::cout << ",\"skipped\":\"" << to_string(error.code()) << "\"}" << std::endl;
    }
  }

 private:
  /// A batch of real frames: what the files give, again and again until it is full.
  Batch filled(demo::FrameSize size, std::size_t count) {
    Batch batch = batches_.loan<std::uint8_t>({count, size.height, size.width, 3});
    const auto frame = [&](std::size_t index) {
      return std::as_writable_bytes(batch.span()).subspan(index * size.bytes(), size.bytes());
    };
    std::size_t decoded = 0;
    for (const auto& file : arguments_.files()) {
      if (decoded == std::min<std::size_t>(count, 16)) break;
      demo::Decoder decoder(arguments_.text("ffmpeg"), file, size, 1);
      if (decoder.read(frame(decoded)) && decoder.finish()) ++decoded;
    }
    if (decoded == 0) throw std::runtime_error("none of the files can be decoded");
    for (std::size_t i = decoded; i < count; ++i) std::ranges::copy(frame(i % decoded), frame(i).begin());
    return batch;
  }

  /// `send(info)` sends one batch, and returns when its sending began. The first and the last go unmeasured, and are looked
  /// at to their last byte on the other side.
  template <class Send>
  Timing measure(std::size_t rounds, std::uint32_t checksum, Send&& send) {
    const auto check_whole = [&] {
      constexpr std::array<std::byte, 1> look_at_all{std::byte{1}};
      send({.user_header = look_at_all});
      if (answer() != checksum) throw std::runtime_error("a batch was changed on its way");
    };
    check_whole();
    std::vector<double> sends;
    std::vector<double> answered;
    for (std::size_t i = 0; i < rounds; ++i) {
      const Clock::time_point begin = send({});
      sends.push_back(Milliseconds(Clock::now() - begin).count());
      answer();
      answered.push_back(Milliseconds(Clock::now() - begin).count());
    }
    check_whole();
    return {median(sends), median(answered)};
  }

  /// Waits for the acknowledgement: the number of this batch, and its checksum where that was asked for.
  std::uint32_t answer() {
    const auto sample = answers_.take(60s);
    if (!sample) throw std::runtime_error("no acknowledgement came");
    const auto words = sample->as_array<std::uint32_t>();
    if (words.size() != 2 || words[0] != ++acknowledged_) throw std::runtime_error("a batch was lost or came twice");
    return words[1];
  }

  const demo::Arguments& arguments_;
  memlane::Publisher batches_;
  memlane::Subscriber answers_;
  std::uint32_t acknowledged_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    demo::end_with_parent();
    const demo::Arguments arguments(argc, argv);
    Measurement measurement(arguments);
    for (const demo::FrameSize size : arguments.sizes()) {
      std::istringstream batches(arguments.text("batches"));
      for (std::string count; std::getline(batches, count, ',');) measurement.row(size, std::stoull(count));
    }
    if (const std::size_t largest = arguments.number("largest"); largest != 0) {
      measurement.row(arguments.sizes().back(), largest);
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "measure: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
