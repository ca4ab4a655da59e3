#include "core/document/node.hpp"

#include "core/document/words.hpp"

namespace conductorai::core::document {

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::boolean: return node.boolean ? "true" : "false";
    case Node::Kind::integer:
    case Node::Kind::number: return "the number " + node.text;
    case Node::Kind::text: return node.text.empty() ? "an empty text" : "the text " + quote(node.text);
    case Node::Kind::list: return node.items.empty() ? "an empty list" : "a list";
    case Node::Kind::map: return node.members.empty() ? "an empty mapping" : "a mapping";
  }
  return {};
}

Value to_value(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return nullptr;
    case Node::Kind::boolean: return node.boolean;
    case Node::Kind::integer: return node.integer;
    case Node::Kind::number: return node.number;
    case Node::Kind::text: return node.text;
    case Node::Kind::list: {
      Array array;
      array.reserve(node.items.size());
      for (const Node& item : node.items) array.push_back(to_value(item));
      return array;
    }
    case Node::Kind::map: {
      Object object;
      for (const Member& member : node.members) object.insert_or_assign(member.key, to_value(member.value));
      return object;
    }
  }
  return nullptr;
}

}  // namespace conductorai::core::document
