// docs/layout.md against the code: every byte of every shared structure, every constant, every number of an enumeration.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "memlane/layout/files.hpp"
#include "memlane/layout/half.hpp"
#include "memlane/layout/message.hpp"
#include "memlane/options.hpp"
#include "memlane/port/half_memory.hpp"
#include "memlane/roster/lane_folder.hpp"
#include "memlane/types/dtype.hpp"

namespace memlane {
namespace {

namespace d = detail;

struct Field {
  std::size_t offset;
  std::size_t bytes;
};

struct Structure {
  std::size_t bytes;
  std::map<std::string, Field> fields;
};

#define FIELD(type, name)                            \
  {                                                  \
    #name, {                                         \
      offsetof(d::type, name), sizeof(d::type::name) \
    }                                                \
  }

const std::map<std::string, Structure> structures{
    {"LaneFile",
     {sizeof(d::LaneFile),
      {FIELD(LaneFile, magic), FIELD(LaneFile, version), FIELD(LaneFile, bytes), FIELD(LaneFile, pattern),
       FIELD(LaneFile, name_bytes), FIELD(LaneFile, name), FIELD(LaneFile, reserved)}}},
    {"Announcement",
     {sizeof(d::Announcement),
      {FIELD(Announcement, magic),       FIELD(Announcement, version),  FIELD(Announcement, bytes),
       FIELD(Announcement, endpoint),    FIELD(Announcement, port),     FIELD(Announcement, kind),
       FIELD(Announcement, overflow),    FIELD(Announcement, checksum), FIELD(Announcement, reserved),
       FIELD(Announcement, depth),       FIELD(Announcement, pid),      FIELD(Announcement, opened_time),
       FIELD(Announcement, process),     FIELD(Announcement, label),    FIELD(Announcement, samples),
       FIELD(Announcement, bytes_moved), FIELD(Announcement, dropped),  FIELD(Announcement, waiting),
       FIELD(Announcement, memory),      FIELD(Announcement, peers),    FIELD(Announcement, counters_time)}}},
    {"MessageHeader",
     {sizeof(d::MessageHeader),
      {FIELD(MessageHeader, magic), FIELD(MessageHeader, version), FIELD(MessageHeader, bytes),
       FIELD(MessageHeader, type), FIELD(MessageHeader, handles), FIELD(MessageHeader, reserved0),
       FIELD(MessageHeader, from_port), FIELD(MessageHeader, to_port), FIELD(MessageHeader, reserved1)}}},
    {"HelloBody",
     {sizeof(d::HelloBody),
      {FIELD(HelloBody, endpoint), FIELD(HelloBody, door), FIELD(HelloBody, pid), FIELD(HelloBody, process)}}},
    {"RefuseBody",
     {sizeof(d::RefuseBody), {FIELD(RefuseBody, version), FIELD(RefuseBody, reserved), FIELD(RefuseBody, reason)}}},
    {"GoneBody", {sizeof(d::GoneBody), {FIELD(GoneBody, code), FIELD(GoneBody, reserved), FIELD(GoneBody, reason)}}},
    {"PortBody",
     {sizeof(d::PortBody),
      {FIELD(PortBody, lane), FIELD(PortBody, kind), FIELD(PortBody, overflow), FIELD(PortBody, checksum),
       FIELD(PortBody, reserved), FIELD(PortBody, depth), FIELD(PortBody, pid), FIELD(PortBody, label)}}},
    {"HalfBody", {sizeof(d::HalfBody), {FIELD(HalfBody, port), FIELD(HalfBody, bytes), FIELD(HalfBody, reserved)}}},
    {"SegmentBody",
     {sizeof(d::SegmentBody), {FIELD(SegmentBody, id), FIELD(SegmentBody, reserved), FIELD(SegmentBody, bytes)}}},
    {"ReturnsBody", {sizeof(d::ReturnsBody), {FIELD(ReturnsBody, position), FIELD(ReturnsBody, ticket)}}},
    {"HalfHeader",
     {sizeof(d::HalfHeader),
      {FIELD(HalfHeader, magic), FIELD(HalfHeader, version), FIELD(HalfHeader, capacity), FIELD(HalfHeader, bytes),
       FIELD(HalfHeader, reserved)}}},
    {"SenderHalf",
     {sizeof(d::SenderHalf),
      {FIELD(SenderHalf, header), FIELD(SenderHalf, tail), FIELD(SenderHalf, floor), FIELD(SenderHalf, armed),
       FIELD(SenderHalf, dropped), FIELD(SenderHalf, returns_head), FIELD(SenderHalf, reserved)}}},
    {"ReceiverHalf",
     {sizeof(d::ReceiverHalf),
      {FIELD(ReceiverHalf, header), FIELD(ReceiverHalf, head), FIELD(ReceiverHalf, returns_tail),
       FIELD(ReceiverHalf, armed), FIELD(ReceiverHalf, reserved)}}},
    {"Descriptor",
     {sizeof(d::Descriptor),
      {FIELD(Descriptor, sequence), FIELD(Descriptor, sent_time), FIELD(Descriptor, offset), FIELD(Descriptor, length),
       FIELD(Descriptor, segment), FIELD(Descriptor, ticket), FIELD(Descriptor, dtype), FIELD(Descriptor, ndim),
       FIELD(Descriptor, flags), FIELD(Descriptor, checksum), FIELD(Descriptor, reserved), FIELD(Descriptor, shape)}}},
    {"MetaBlock",
     {sizeof(d::MetaBlock),
      {FIELD(MetaBlock, encoding_length), FIELD(MetaBlock, user_length), FIELD(MetaBlock, reserved),
       FIELD(MetaBlock, encoding), FIELD(MetaBlock, user)}}},
    {"ReturnEntry", {sizeof(d::ReturnEntry), {FIELD(ReturnEntry, position), FIELD(ReturnEntry, ticket)}}},
};
#undef FIELD

const std::map<std::string, std::uint64_t> constants{
    {"layout_version", d::layout_version},
    {"message_magic", d::message_magic},
    {"lane_file_magic", d::lane_file_magic},
    {"announcement_magic", d::announcement_magic},
    {"sender_half_magic", d::sender_half_magic},
    {"receiver_half_magic", d::receiver_half_magic},
    {"max_message", d::max_message},
    {"max_depth", d::max_depth},
    {"cache_line", d::cache_line},
    {"has_meta", d::has_meta},
    {"return_yielded", d::return_yielded},
    {"max_encoding", d::max_encoding},
    {"max_user_header", d::max_user_header},
};

/// Number and name of each value, as the code has them.
std::map<std::string, std::map<std::string, std::uint64_t>> enumerations() {
  std::map<std::string, std::map<std::string, std::uint64_t>> all;
  const auto add = [](auto& names, const char* name, auto value) { names[name] = static_cast<std::uint64_t>(value); };
  auto& types = all["MessageType"];
  using enum d::MessageType;
  add(types, "hello", hello);
  add(types, "refuse", refuse);
  add(types, "invite", invite);
  add(types, "half", half);
  add(types, "gone", gone);
  add(types, "segment", segment);
  add(types, "segment_drop", segment_drop);
  add(types, "returns", returns);
  add(types, "closing", closing);
  add(types, "leave", leave);
  auto& kinds = all["PortKind"];
  using enum d::PortKind;
  add(kinds, "publisher", publisher);
  add(kinds, "subscriber", subscriber);
  add(kinds, "producer", producer);
  add(kinds, "consumer", consumer);
  add(kinds, "client", client);
  add(kinds, "server", server);
  auto& patterns = all["Pattern"];
  using enum d::Pattern;
  add(patterns, "publish_subscribe", publish_subscribe);
  add(patterns, "work_queue", work_queue);
  add(patterns, "request_reply", request_reply);
  auto& policies = all["Overflow"];
  using enum Overflow;
  add(policies, "block", block);
  add(policies, "drop_oldest", drop_oldest);
  add(policies, "drop_newest", drop_newest);
  add(policies, "fail", fail);
  auto& checksums = all["Checksum"];
  add(checksums, "none", d::Checksum::none);
  add(checksums, "crc32c", d::Checksum::crc32c);
  for (std::uint8_t value = 0; is_known(static_cast<DType>(value)); ++value)
    all["DType"][std::string(to_string(static_cast<DType>(value)))] = value;
  return all;
}

struct Table {
  std::string title;  // of the section it stands in
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

std::string trimmed(std::string text) {
  const auto strip = [](char c) { return c == ' ' || c == '`'; };
  while (!text.empty() && strip(text.back())) text.pop_back();
  while (!text.empty() && strip(text.front())) text.erase(0, 1);
  return text;
}

std::vector<Table> tables_of_the_page() {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
  std::ifstream page(root / "docs" / "layout.md");
  EXPECT_TRUE(page) << "docs/layout.md is missing";
  std::vector<Table> tables;
  std::string title;
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with('#')) title = line.substr(line.find(' ') + 1);
    if (!line.starts_with('|')) {
      in_table = false;
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream row(line.substr(1));
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(trimmed(cell));
    if (!in_table) {
      tables.push_back({title, cells, {}});
      in_table = true;
    } else if (cells.at(0).find("---") == std::string::npos) {
      tables.back().rows.push_back(cells);
    }
  }
  return tables;
}

/// "`Name` (N bytes)" -> Name.
std::string name_in(const std::string& title) {
  const std::size_t begin = title.find('`');
  return begin == std::string::npos ? "" : title.substr(begin + 1, title.find('`', begin + 1) - begin - 1);
}

TEST(LayoutPage, has_each_structure_byte_by_byte_as_the_code_has_it) {
  std::set<std::string> seen;
  for (const Table& table : tables_of_the_page()) {
    if (table.columns.at(0) != "offset") continue;
    const std::string name = name_in(table.title);
    SCOPED_TRACE(name);
    const auto structure = structures.find(name);
    ASSERT_NE(structure, structures.end()) << "a table of a structure that is not compared";
    EXPECT_TRUE(seen.insert(name).second);
    EXPECT_NE(table.title.find("(" + std::to_string(structure->second.bytes) + " bytes)"), std::string::npos)
        << table.title;
    std::map<std::string, Field> fields;
    std::size_t next = 0;
    for (const auto& row : table.rows) {
      const Field field{std::stoul(row.at(0)), std::stoul(row.at(1))};
      EXPECT_EQ(field.offset, next) << "a gap before " << row.at(2);
      next = field.offset + field.bytes;
      if (!row.at(2).empty()) fields[row.at(2)] = field;
    }
    EXPECT_EQ(next, structure->second.bytes) << "bytes at the end";
    for (const auto& [field, place] : structure->second.fields) {
      ASSERT_TRUE(fields.contains(field)) << field << " is not on the page";
      EXPECT_EQ(fields[field].offset, place.offset) << field;
      EXPECT_EQ(fields[field].bytes, place.bytes) << field;
    }
    EXPECT_EQ(fields.size(), structure->second.fields.size()) << "a field that the code does not have";
  }
  EXPECT_EQ(seen.size(), structures.size()) << "a structure that is not on the page";
}

TEST(LayoutPage, has_each_constant_as_the_code_has_it) {
  std::set<std::string> seen;
  for (const Table& table : tables_of_the_page()) {
    if (table.title != "Constants") continue;
    for (const auto& row : table.rows) {
      ASSERT_TRUE(constants.contains(row.at(0))) << row.at(0);
      EXPECT_EQ(std::stoull(row.at(1), nullptr, 0), constants.at(row.at(0))) << row.at(0);
      seen.insert(row.at(0));
    }
  }
  EXPECT_EQ(seen.size(), constants.size());
}

TEST(LayoutPage, has_each_enumeration_as_the_code_has_it) {
  std::set<std::string> seen;
  const auto all = enumerations();
  for (const Table& table : tables_of_the_page()) {
    if (table.columns.at(0) != "value") continue;
    const std::string name = name_in(table.title);
    SCOPED_TRACE(name);
    ASSERT_TRUE(all.contains(name));
    std::map<std::string, std::uint64_t> values;
    for (const auto& row : table.rows) values[row.at(1)] = std::stoull(row.at(0));
    EXPECT_EQ(values, all.at(name));
    seen.insert(name);
  }
  EXPECT_EQ(seen.size(), all.size());
}

TEST(LayoutPage, gives_the_sizes_of_the_halves) {
  const std::size_t page = d::platform::page_size();
  const auto pages = [&](std::size_t bytes) { return (bytes + page - 1) / page * page; };
  for (const std::uint32_t depth : {1U, 2U, 15U, 16U, 111U, 112U, 113U, 1000U, 65536U}) {
    SCOPED_TRACE(depth);
    std::size_t places = 1;
    while (places < depth + 1) places *= 2;
    std::size_t returns = 1;
    while (returns < std::max(depth, 112U)) returns *= 2;
    EXPECT_EQ(d::sender_half_bytes(depth), pages(512 + 128 * places));
    EXPECT_EQ(d::receiver_half_bytes(depth), pages(512 + 16 * returns));
    EXPECT_EQ(d::ring_capacity(depth), places);
    EXPECT_EQ(d::returns_capacity(depth), returns);
  }
}

TEST(LayoutPage, gives_the_hash_of_a_name) {
  // FNV-1a of 128 bits, by hand for the empty name, and a published test vector for "foobar".
  EXPECT_EQ(d::lane_folder_name(d::lane_hash("")), "lane-6c62272e07bb014262b821756295c58d");
  EXPECT_EQ(d::lane_folder_name(d::lane_hash("foobar")), "lane-343e1662793c64bf6f0d3597ba446f18");
}

}  // namespace
}  // namespace memlane
