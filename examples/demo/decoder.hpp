// Pictures and videos as raw frames: ffmpeg decodes and scales them, and its output is read straight into the memory that
// the caller gives, which may lie in a lane.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

extern char** environ;

namespace demo {

struct FrameSize {
  std::size_t width;
  std::size_t height;
  [[nodiscard]] std::size_t bytes() const noexcept { return width * height * 3; }
};

/// "1920x1080".
[[nodiscard]] inline FrameSize parse_frame_size(const std::string& text) {
  std::size_t used = 0;
  const std::size_t width = std::stoul(text, &used);
  if (used >= text.size() || text[used] != 'x') throw std::invalid_argument("not a frame size: " + text);
  return {width, std::stoul(text.substr(used + 1))};
}

/// One ffmpeg process that decodes one file. What ffmpeg has to say goes to the standard error.
class Decoder {
 public:
  /// At most `frames` frames, each filling `size` (cut at the longer side, not distorted), as packed BGR.
  Decoder(const std::filesystem::path& ffmpeg, const std::filesystem::path& file, FrameSize size, std::size_t frames) {
    const std::string fill = std::to_string(size.width) + ":" + std::to_string(size.height);
    const std::vector<std::string> words{ffmpeg.string(),
                                         "-nostdin",
                                         "-v",
                                         "fatal",
                                         "-i",
                                         file.string(),
                                         "-vf",
                                         "scale=" + fill + ":force_original_aspect_ratio=increase,crop=" + fill,
                                         "-frames:v",
                                         std::to_string(frames),
                                         "-f",
                                         "rawvideo",
                                         "-pix_fmt",
                                         "bgr24",
                                         "-"};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    output_ = pipe[0];
    ::fcntl(output_, F_SETPIPE_SZ, 1 << 20);  // fewer switches between the two processes; refused is no harm

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    const int error = ::posix_spawn(&process_, ffmpeg.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    if (error != 0) {
      ::close(output_);
      throw std::system_error(error, std::generic_category(), ffmpeg.string());
    }
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { finish(); }

  /// The next frame into `frame`, which must have the frame's size. False: there are no more.
  [[nodiscard]] bool read(std::span<std::byte> frame) {
    std::size_t filled = 0;
    while (filled < frame.size()) {
      const auto got = ::read(output_, frame.data() + filled, frame.size() - filled);
      if (got > 0) {
        filled += static_cast<std::size_t>(got);
      } else if (got == 0) {
        if (filled == 0) return false;
        throw std::runtime_error("ffmpeg stopped in the middle of a frame");
      } else if (errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), "reading from ffmpeg");
      }
    }
    return true;
  }

  /// Waits for the end of ffmpeg. True: it could decode the file.
  bool finish() {
    if (process_ < 0) return succeeded_;
    ::close(output_);  // a decoder that still writes ends at its next write
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) continue;
    process_ = -1;
    succeeded_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return succeeded_;
  }

 private:
  int output_ = -1;
  pid_t process_ = -1;
  bool succeeded_ = false;
};

}  // namespace demo
