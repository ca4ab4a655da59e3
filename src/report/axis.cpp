#include "report/axis.hpp"

#include <algorithm>
#include <array>

namespace conductorai::report {

namespace {

constexpr double kIdleShare = 0.25;  // of the work: a longer spell without any is cut …
constexpr double kCutShare = 0.04;   // … to this
constexpr std::int64_t kIdleLeast = 2'000;
constexpr std::size_t kTicksMax = 8;
constexpr double kTickRoom = 11;  // percent that a label takes on a phone

using Span = std::pair<std::int64_t, std::int64_t>;

std::vector<Span> busy_spans(const History& history) {
  std::vector<Span> spans;
  for (const Attempt& attempt : history.attempts)
    spans.emplace_back((attempt.start - history.begin).count(), (attempt.end - history.begin).count());
  std::ranges::sort(spans);
  std::vector<Span> merged;
  for (const Span& span : spans) {
    if (!merged.empty() && span.first <= merged.back().second)
      merged.back().second = std::max(merged.back().second, span.second);
    else
      merged.push_back(span);
  }
  return merged;
}

std::int64_t nice_step(std::int64_t least) {
  constexpr std::array<std::int64_t, 21> kSteps{10,      20,      50,        100,       200,       500,        1'000,
                                                2'000,   5'000,   10'000,    15'000,    30'000,    60'000,     120'000,
                                                300'000, 600'000, 1'800'000, 3'600'000, 7'200'000, 21'600'000, 86'400'000};
  for (const std::int64_t step : kSteps)
    if (step >= least) return step;
  return (least / 86'400'000 + 1) * 86'400'000;
}

}  // namespace

Axis::Axis(const History& history) : begin_(history.begin) {
  const auto spans = busy_spans(history);
  double work = 0;
  for (const auto& [start, end] : spans) work += static_cast<double>(end - start);
  const auto add = [&](std::int64_t start, std::int64_t end, bool busy) {
    if (end <= start) return;
    const auto length = static_cast<double>(end - start);
    const bool idle = !busy && end - start >= kIdleLeast && length > work * kIdleShare;
    pieces_.push_back({start, end, idle ? std::max(work, 1.0) * kCutShare : length, idle});
  };
  std::int64_t at = 0;
  for (const auto& [start, end] : spans) {
    add(at, start, false);
    add(start, end, true);
    at = std::max(at, end);
  }
  add(at, (history.end - history.begin).count(), false);
  total_ = 0;
  for (const Piece& piece : pieces_) total_ += piece.width;
  total_ = std::max(total_, 1.0);
}

double Axis::drawn(std::int64_t ms) const {
  double sum = 0;
  for (const Piece& piece : pieces_) {
    if (ms >= piece.end) {
      sum += piece.width;
      continue;
    }
    if (ms > piece.start) sum += piece.width * static_cast<double>(ms - piece.start) / static_cast<double>(piece.end - piece.start);
    break;
  }
  return sum;
}

double Axis::percent(Timestamp at) const {
  return std::clamp(drawn((at - begin_).count()) / total_ * 100, 0.0, 100.0);
}

std::vector<Axis::Cut> Axis::cuts() const {
  std::vector<Cut> out;
  for (const Piece& piece : pieces_)
    if (piece.idle) out.push_back({drawn(piece.start) / total_ * 100, drawn(piece.end) / total_ * 100, piece.end - piece.start});
  return out;
}

std::vector<Axis::Tick> Axis::ticks() const {
  const std::int64_t step = nice_step(static_cast<std::int64_t>(total_) / 6);
  std::vector<Tick> out;
  for (const Piece& piece : pieces_) {
    if (piece.idle) continue;
    for (std::int64_t ms = (piece.start + step - 1) / step * step; ms < piece.end && out.size() < kTicksMax; ms += step) {
      const double percent = drawn(ms) / total_ * 100;
      if (out.empty() || percent - out.back().percent >= kTickRoom) out.push_back({percent, ms});
    }
  }
  return out;
}

}  // namespace conductorai::report
