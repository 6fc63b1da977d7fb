// What a peer can do, by the names of the steps. Each part of it adds its own.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "form.hpp"

namespace conformance {

class Verbs {
 public:
  using Verb = std::function<void(const Form& step, Form& reply)>;

  /// The part must outlive this.
  template <class Part>
  void add(Part& part, std::initializer_list<std::pair<const char*, void (Part::*)(const Form&, Form&)>> verbs) {
    for (const auto& [name, verb] : verbs) {
      all_[name] = [&part, verb = verb](const Form& step, Form& reply) { (part.*verb)(step, reply); };
    }
  }

  [[nodiscard]] const Verb& of(const Form& step) const {
    const std::string name = step.text("do");
    const auto verb = all_.find(name);
    if (verb == all_.end()) throw std::invalid_argument("this peer knows no step `" + name + "`");
    return verb->second;
  }

 private:
  std::map<std::string, Verb, std::less<>> all_;
};

/// What a step calls by a name.
template <class T>
[[nodiscard]] T& named(std::map<std::string, T>& all, const std::string& name) {
  const auto place = all.find(name);
  if (place == all.end()) throw std::invalid_argument("there is nothing named " + name);
  return place->second;
}

}  // namespace conformance
