// A lane's folder in which somebody has planted files, links, pipes and folders under all the names that mean something.
// A port enters it or is told why not, and leaves it; nothing is followed, waited for, or taken for what it is not.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "input.hpp"
#include "insist.hpp"
#include "memlane/endpoint/graveyard.hpp"
#include "memlane/roster/lane_folder.hpp"

namespace memlane::fuzz {
namespace {

namespace fs = std::filesystem;
using detail::EndpointId;
using detail::PortKind;

constexpr const char* lane = "some/lane";
const EndpointId ours{{1, 2}};
const EndpointId theirs{{3, 4}};

std::string some_name(Input& input) {
  static const std::array<std::string, 10> names{
      "lane",
      ".lane-" + ours.text() + "-1",
      ".lane-" + theirs.text() + "-1",
      "pub-" + ours.text() + "-1",
      ".pub-" + ours.text() + "-1",
      "pub-" + theirs.text() + "-1",
      "sub-" + theirs.text() + "-ffffffffffffffff",
      "sub-" + theirs.text() + "-",
      "srv--",
      "-",
  };
  std::string name = names[input.choice(names.size())];
  if (input.choice(4) != 3) return name;
  std::array<char, 12> piece{};
  input.fill(std::as_writable_bytes(std::span(piece)));
  name.insert(input.byte() % (name.size() + 1), piece.data(), input.choice(piece.size()));
  std::erase_if(name, [](char c) { return c == '/' || c == '\0'; });
  if (name.size() > 200) name.resize(200);
  return name.empty() || name == "." || name == ".." ? "x" : name;
}

std::string lane_file(Input& input) {
  detail::LaneFile file{};
  file.magic = detail::lane_file_magic;
  file.version = detail::layout_version;
  file.bytes = sizeof file;
  file.pattern = 1;
  file.name_bytes = static_cast<std::uint32_t>(std::string_view(lane).size());
  std::memcpy(file.name, lane, file.name_bytes);
  std::string bytes(reinterpret_cast<const char*>(&file), sizeof file);
  for (std::size_t changes = input.choice(4); changes != 0; --changes)
    bytes[input.byte()] = static_cast<char>(input.byte());
  if (input.choice(4) == 3) bytes.resize(input.next<std::uint16_t>() % 600);
  return bytes;
}

void plant(Input& input, const fs::path& folder) {
  const fs::path path = folder / some_name(input);
  switch (input.choice(8)) {
    case 0: ::mkfifo(path.c_str(), 0600); break;
    case 1: ::mkdir(path.c_str(), 0700); break;
    case 2: static_cast<void>(::symlink("/dev/zero", path.c_str())); break;
    case 3: static_cast<void>(::symlink("lane", path.c_str())); break;
    default: {
      const std::string content = lane_file(input);
      const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
      if (file < 0) break;
      static_cast<void>(::write(file, content.data(), content.size()));
      ::close(file);
      break;
    }
  }
}

struct Place {
  Place() {
    const bool has_memory = fs::exists("/dev/shm");
    path = std::string(has_memory ? "/dev/shm" : "/tmp") + "/ml-fuzz-XXXXXX";
    insist(::mkdtemp(path.data()) != nullptr, "a folder can be made");
    std::atexit([] { fs::remove_all(place().path); });
  }
  static Place& place() {
    static auto* const only = new Place;  // it is still needed at the end
    return *only;
  }
  std::string path;
};

void meet(Input& input) {
  const detail::Directory directory(Place::place().path);
  const std::string name = detail::lane_folder_name(detail::lane_hash(lane));
  const fs::path folder = fs::path(directory.path()) / name;
  if (input.choice(16) == 15) {
    plant(input, directory.path());
  } else {
    ::mkdir(folder.c_str(), 0700);
    for (std::size_t names = input.choice(6); names != 0; --names) plant(input, folder);
  }
  detail::Announcement announcement{};
  announcement.samples = input.byte();
  try {
    detail::LaneFolder entered(directory, LaneName(lane), PortKind::publisher, {ours, 1}, announcement);
    for (std::size_t names = input.choice(4); names != 0; --names) plant(input, folder);
    for (const auto& port : entered.announced(PortKind::subscriber)) {
      insist(detail::parse_announcement_name(detail::announcement_name(PortKind::subscriber, port)).has_value(),
             "a name that was understood can be written again");
    }
    entered.update(announcement);
    detail::LaneFolder::sweep(directory, ours, name, [&](const EndpointId& id) { return id == theirs; });
    detail::sweep_directory(directory, ours);
    entered.leave();
  } catch (const Error& error) {
    insist(std::string_view(error.what()).size() > 20, "an error says what is wrong");
  }
  for (const auto& entry : fs::directory_iterator(directory.path())) fs::remove_all(entry.path());
}

}  // namespace
}  // namespace memlane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  memlane::fuzz::Input input(data, size);
  memlane::fuzz::meet(input);
  return 0;
}
