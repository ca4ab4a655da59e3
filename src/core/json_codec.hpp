#pragma once
// Described structs to JSON and back. Writer: empty strings, lists, maps, absent optionals and a usage of nothing are left out. Reader: a
// missing field keeps its default, an unknown one is ignored (journals outlive versions) or refused (`Unknown::refuse`), errors carry the
// path. Boost.JSON's own described conversion refuses any missing or extra field, hence ours.

#include <boost/describe.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/models.hpp"
#include "conductorai/result.hpp"
#include "conductorai/shared.hpp"
#include "conductorai/time.hpp"
#include "core/described.hpp"
#include "core/json.hpp"
#include "core/json_boost.hpp"

namespace conductorai::core {

enum class Unknown { ignore, refuse };

namespace codec {

template <class T, template <class...> class Of>
inline constexpr bool is_a = false;
template <template <class...> class Of, class... A>
inline constexpr bool is_a<Of<A...>, Of> = true;

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_enum_v<T>;

template <class T>
bool is_empty(const T& value) {
  if constexpr (is_a<T, std::optional>)
    return !value.has_value();
  else if constexpr (is_a<T, std::shared_ptr>)
    return value == nullptr;
  else if constexpr (is_a<T, Rare>)
    return !value;
  else if constexpr (is_a<T, Id>)
    return value.empty();
  else if constexpr (is_a<T, Shared>)
    return is_empty(*value);
  else if constexpr (std::is_same_v<T, Usage>)
    return value == Usage{};  // of all that calls no model
  else if constexpr (requires { value.empty(); })
    return value.empty();
  else
    return false;
}

template <class T>
void write(std::string& out, const T& value);

template <Described T>
void write_fields(std::string& out, const T& value) {
  out += '{';
  bool first = true;
  boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
    const auto& field = value.*member.pointer;
    if (is_empty(field)) return;
    out += std::exchange(first, false) ? "\"" : ",\"";
    (out += member.name) += "\":";  // an identifier: nothing in it is escaped
    write(out, field);
  });
  out += '}';
}

template <class T>
void write(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    out += value ? "true" : "false";
  else if constexpr (std::is_integral_v<T>)
    out += std::to_string(value);
  else if constexpr (std::is_floating_point_v<T>)
    append_json(out, Value(static_cast<double>(value)));
  else if constexpr (std::is_enum_v<T>)
    append_json_string(out, boost::describe::enum_to_string(value, "unknown"));
  else if constexpr (std::is_convertible_v<const T&, std::string_view>)
    append_json_string(out, value);
  else if constexpr (is_a<T, Id>)
    append_json_string(out, value.value);
  else if constexpr (std::is_same_v<T, Timestamp>)
    append_json_string(out, to_iso8601(value));
  else if constexpr (std::is_same_v<T, Milliseconds>)
    out += std::to_string(value.count());
  else if constexpr (std::is_same_v<T, Value>)
    append_json(out, value);
  else if constexpr (is_a<T, std::optional> || is_a<T, std::shared_ptr> || is_a<T, Rare>)
    value ? write(out, *value) : void(out += "null");
  else if constexpr (is_a<T, Shared>)
    write(out, *value);
  else if constexpr (is_a<T, std::vector>) {
    out += '[';
    bool first = true;
    for (const auto& item : value) {
      if (!std::exchange(first, false)) out += ',';
      write(out, item);
    }
    out += ']';
  } else if constexpr (is_a<T, std::map>) {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : value) {
      if (!std::exchange(first, false)) out += ',';
      if constexpr (is_a<std::decay_t<decltype(key)>, Id>)
        append_json_string(out, key.value);
      else
        append_json_string(out, key);
      out += ':';
      write(out, item);
    }
    out += '}';
  } else
    write_fields(out, value);
}

struct Reader {
  Unknown unknown;
  std::string path;

  [[nodiscard]] std::unexpected<Error> wrong(std::string_view expected) const {
    return fail(ErrorCode::invalid_argument, "expected " + std::string(expected), path.empty() ? "the document" : path);
  }
  template <class T, class Key>
  Result<void> child(const boost::json::value& json, T& out, const Key& key) {
    const auto length = path.size();
    path += path.empty() ? "" : ".";
    path += key;
    auto result = read(json, out);
    if (result) path.resize(length);
    return result;
  }

  template <class T>
  Result<void> read(const boost::json::value& json, T& out) {
    if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_bool()) return wrong("true or false");
      out = json.get_bool();
    } else if constexpr (std::is_integral_v<T>) {
      boost::system::error_code error;
      out = json.to_number<T>(error);
      if (error) return wrong("a whole number");
    } else if constexpr (std::is_floating_point_v<T>) {
      boost::system::error_code error;
      out = json.to_number<T>(error);
      if (error) return wrong("a number");
    } else if constexpr (std::is_same_v<T, Value>) {
      out = from_boost(json);
    } else if constexpr (std::is_same_v<T, Object>) {
      if (!json.is_object()) return wrong("an object");
      out = *from_boost(json).as_object();
    } else if constexpr (std::is_same_v<T, Milliseconds>) {
      std::int64_t count = 0;
      if (auto r = read(json, count); !r) return r;
      out = Milliseconds(count);
    } else if constexpr (is_a<T, std::optional>) {
      if (json.is_null()) return out.reset(), Result<void>{};
      return read(json, out.emplace());
    } else if constexpr (is_a<T, std::shared_ptr>) {
      if (json.is_null()) return out.reset(), Result<void>{};
      auto made = std::make_shared<std::remove_const_t<typename T::element_type>>();
      auto r = read(json, *made);
      out = std::move(made);
      return r;
    } else if constexpr (is_a<T, Shared>) {
      typename T::element_type made{};
      if (auto r = read(json, made); !r) return r;
      out = Shared(std::move(made));
    } else if constexpr (is_a<T, Rare>) {
      std::optional<typename T::element_type> made;
      if (auto r = read(json, made); !r) return r;
      out = T(made);
    } else if constexpr (is_a<T, std::vector>) {
      if (!json.is_array()) return wrong("a list");
      out.clear();
      for (const auto& item : json.get_array())
        if (auto r = child(item, out.emplace_back(), std::to_string(out.size() - 1)); !r) return r;
    } else if constexpr (is_a<T, std::map>) {
      if (!json.is_object()) return wrong("an object");
      out.clear();
      for (const auto& [key, item] : json.get_object())
        if (auto r = child(item, out[typename T::key_type(std::string(key))], std::string_view(key)); !r) return r;
    } else if constexpr (Described<T>) {
      return read_fields(json, out);
    } else {
      if (!json.is_string()) return wrong("text");
      return read_text(std::string_view(json.get_string()), out);
    }
    return {};
  }

  template <class T>
  Result<void> read_text(std::string_view text, T& out) {
    if constexpr (std::is_enum_v<T>) {
      if (!boost::describe::enum_from_string(std::string(text).c_str(), out)) return wrong("a known name, not '" + std::string(text) + "'");
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      auto at = parse_iso8601(text);
      if (!at) return fail(at.error());
      out = *at;
    } else {
      out = T(std::string(text));
    }
    return {};
  }

  template <Described T>
  Result<void> read_fields(const boost::json::value& json, T& out) {
    if (!json.is_object()) return wrong("an object");
    const auto& object = json.get_object();
    std::size_t known = 0;
    Result<void> result;
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
      if (!result) return;
      const auto* field = object.if_contains(member.name);
      if (field == nullptr) return;
      ++known;
      result = child(*field, out.*member.pointer, std::string_view(member.name));
    });
    if (result && unknown == Unknown::refuse && known < object.size()) return wrong("no unknown keys");
    return result;
  }
};

}  // namespace codec

template <class T>
std::string write_json(const T& value) {
  std::string out;
  codec::write(out, value);
  return out;
}

template <class T>
Result<T> read_json_value(const boost::json::value& json, Unknown unknown = Unknown::ignore) {
  T out{};
  codec::Reader reader{unknown, {}};
  if (auto r = reader.read(json, out); !r) return fail(r.error());
  return out;
}

/// Errors: invalid_argument with the path or line:column in `where`.
template <class T>
Result<T> read_json(std::string_view text, Unknown unknown = Unknown::ignore) {
  auto parsed = parse_boost(text);
  if (!parsed) return fail(parsed.error());
  return read_json_value<T>(*parsed, unknown);
}

}  // namespace conductorai::core
