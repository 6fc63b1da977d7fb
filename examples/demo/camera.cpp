// The demo's camera: publishes pictures and videos as BGR frames on the lane "demo/frames". Each is decoded straight into
// the memory that subscribers will read.
//
//   camera --ffmpeg PROGRAM --sizes 640x640,1920x1080 --frames MOST_PER_FILE [--fault NAME] FILE...
//
// Tells what it does on the standard output, one JSON object a line.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memlane/memlane.hpp>
#include <optional>
#include <string>

#include "arguments.hpp"
#include "crc32.hpp"
#include "decoder.hpp"
#include "frame_header.hpp"
#include "parent.hpp"

namespace {

using namespace std::chrono_literals;

// Who looks at the originals: the filter, the checker and the contact sheet.
constexpr std::size_t audience = 3;

/// What a test wants to go wrong with the fifth frame, to see that the demo notices.
enum class Fault { none, change, lose, reorder };

Fault parse_fault(const std::string& name) {
  if (name == "none") return Fault::none;
  if (name == "change") return Fault::change;
  if (name == "lose") return Fault::lose;
  if (name == "reorder") return Fault::reorder;
  throw std::invalid_argument("no such fault: " + name);
}

class Camera {
 public:
  explicit Camera(const demo::Arguments& arguments)
      : ffmpeg_(arguments.text("ffmpeg")),
        frames_per_file_(arguments.number("frames")),
        fault_(parse_fault(arguments.text_or("fault", "none"))),
        lane_("demo/frames", {.label = "camera"}) {}

  void await_audience() {
    if (!lane_.wait_for_subscribers(audience, 60s)) throw std::runtime_error("the other programs did not come");
  }

  void publish(const std::filesystem::path& file, demo::FrameSize size) {
    demo::Decoder decoder(ffmpeg_, file, size, frames_per_file_);
    const std::string source = file.filename().string();
    for (;;) {
      auto frame = lane_.loan<std::uint8_t>({size.height, size.width, 3});
      const auto bytes = std::as_writable_bytes(frame.span());
      if (!decoder.read(bytes)) break;
      send(std::move(frame), demo::frame_header(demo::crc32(bytes), ++number_, source));
    }
    if (!decoder.finish()) std::cerr << source << " could not be read\n";  // ffmpeg has said why
  }

  /// What was sent reaches everybody, also when this program is gone.
  void finish() { std::cout << "{\"total\":" << number_ << "}" << std::endl; }

 private:
  using Frame = memlane::TypedLoan<std::uint8_t>;

  void send(Frame frame, const demo::FrameHeader& header) {
    const bool spoil = number_ == 5;
    if (spoil && fault_ == Fault::change) frame[frame.size() / 2] ^= 1;
    if (spoil && fault_ == Fault::lose) return;
    if (spoil && fault_ == Fault::reorder) {
      held_back_.emplace(std::move(frame));
      held_back_header_ = header;
      return;
    }
    lane_.send(std::move(frame), {.encoding = "bgr8", .user_header = header});
    if (held_back_) {
      lane_.send(std::move(*held_back_), {.encoding = "bgr8", .user_header = held_back_header_});
      held_back_.reset();
    }
    std::cout << "{\"published\":" << number_ << "}" << std::endl;
  }

  std::filesystem::path ffmpeg_;
  std::size_t frames_per_file_;
  Fault fault_;
  memlane::Publisher lane_;
  std::uint64_t number_ = 0;
  std::optional<Frame> held_back_;
  demo::FrameHeader held_back_header_{};
};

}  // namespace

int main(int argc, char** argv) {
  try {
    demo::end_with_parent();
    const demo::Arguments arguments(argc, argv);
    Camera camera(arguments);
    camera.await_audience();
    for (const auto& file : arguments.files()) {
      for (const demo::FrameSize size : arguments.sizes()) camera.publish(file, size);
    }
    camera.finish();
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "camera: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
