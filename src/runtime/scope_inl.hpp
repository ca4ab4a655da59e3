#pragma once
#include <optional>

namespace conductorai::runtime {

namespace detail {
template <class T>
task<void> store(task<T> work, std::optional<T>& out) {
  out.emplace(co_await std::move(work));
}
inline task<void> flag(task<void> work, bool& out) {
  co_await std::move(work);
  out = true;
}
}  // namespace detail

template <class Loop, class T>
T run_to_end(Loop& loop, task<T> work) {
  TaskScope scope(loop);
  if constexpr (std::is_void_v<T>) {
    bool done = false;
    scope.spawn(detail::flag(std::move(work), done));
    loop.run_until([&] { return done && scope.running() == 0; });
  } else {
    std::optional<T> out;
    scope.spawn(detail::store(std::move(work), out));
    loop.run_until([&] { return out.has_value() && scope.running() == 0; });
    return std::move(*out);
  }
}

}  // namespace conductorai::runtime
