#include "infrastructure/state/live_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "core/json.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;  // then it begins anew: who watches has read it

std::filesystem::path folder_of(const std::filesystem::path& state_dir) {
  return state_dir / "live";
}

std::string line_of(const AnswerPiece& piece) {
  return core::to_json(Value(Object{{"task", piece.task.str()}, {"call", piece.call}, {"text", piece.text}})) + "\n";
}

std::optional<AnswerPiece> read_line(const WorkflowId& workflow, std::string_view line) {
  const auto value = core::parse_json(line);
  if (!value) return std::nullopt;
  AnswerPiece piece{.workflow = workflow, .task = {}, .call = {}, .text = {}};
  const auto text = [&](const char* key) {
    const Value* found = value->find(key);
    return found == nullptr ? nullptr : found->as_string();
  };
  const std::string* task = text("task");
  const std::string* call = text("call");
  const std::string* said = text("text");
  if (task == nullptr || call == nullptr || said == nullptr) return std::nullopt;
  piece.task = TaskId(*task);
  piece.call = *call;
  piece.text = *said;
  return piece;
}

}  // namespace

LiveTextWriter::LiveTextWriter(Executor& executor, std::filesystem::path state_dir) : executor_(executor), folder_(folder_of(state_dir)) {}

LiveTextWriter::~LiveTextWriter() {
  for (auto& [workflow, file] : files_) remove(workflow, file);
}

void LiveTextWriter::add(const AnswerPiece& piece) {
  File& file = files_[piece.workflow];
  const std::string answer = piece.task.str() + " " + piece.call;
  const bool alone = file.coming.empty();
  if (piece.text.empty()) {
    if (file.coming.erase(answer) == 0) return;
  } else {
    const bool begins = file.coming.insert(answer).second;
    if ((begins && alone) || file.bytes > kFileBytesMax) begin_anew(piece.workflow, file);
  }
  if (file.fd < 0) return;
  const std::string line = line_of(piece);
  if (file.due.empty()) write_soon(piece.workflow);
  file.due += line;
  file.bytes += line.size();
}

void LiveTextWriter::write_soon(const WorkflowId& workflow) {
  due_.push_back(workflow);
  if (due_.size() > 1) return;
  executor_.post_external([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    for (const WorkflowId& one : std::exchange(due_, {}))
      if (const auto file = files_.find(one); file != files_.end()) write_due(file->second);
  });
}

void LiveTextWriter::write_due(File& file) {
  if (!file.due.empty()) (void)!::write(file.fd, file.due.data(), file.due.size());
  file.due = {};
}

// A new file and not the old one cut off: who reads sees by its inode that it has to begin again too.
void LiveTextWriter::begin_anew(const WorkflowId& workflow, File& file) {
  remove(workflow, file);
  std::error_code ignored;
  std::filesystem::create_directories(folder_, ignored);
  file.fd = ::open((folder_ / workflow.str()).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  file.bytes = 0;
}

void LiveTextWriter::remove(const WorkflowId& workflow, File& file) {
  if (file.fd >= 0) write_due(file);  // for who has it open
  // Also that of an owner who was killed.
  ::unlink((folder_ / workflow.str()).c_str());
  if (file.fd >= 0) ::close(file.fd);
  file.fd = -1;
}

void LiveTextWriter::forget(const WorkflowId& workflow) {
  auto found = files_.extract(workflow);
  if (!found.empty()) remove(workflow, found.mapped());
}

void remove_live_text(const std::filesystem::path& state_dir, const WorkflowId& workflow) {
  ::unlink((folder_of(state_dir) / workflow.str()).c_str());
}

LiveTextReader::LiveTextReader(runtime::Loop& loop, const std::filesystem::path& state_dir, WorkflowId workflow, Told told)
    : file_(folder_of(state_dir) / workflow.str()), workflow_(std::move(workflow)), told_(std::move(told)), watch_(loop) {
  std::error_code ignored;
  std::filesystem::create_directories(file_.parent_path(), ignored);
  watch_.watch(file_.parent_path(), [this](const std::string& name) {
    if (!name.empty() && name != file_.filename()) return;
    open_newest();
    read_on(told_);
  });
  open_newest();
  tell_unfinished();
}

LiveTextReader::~LiveTextReader() {
  if (fd_ >= 0) ::close(fd_);
}

task<void> LiveTextReader::close() {
  co_await watch_.close();
}

void LiveTextReader::open_newest() {
  struct stat now{};
  if (::stat(file_.c_str(), &now) != 0 || (fd_ >= 0 && now.st_ino == inode_)) return;
  if (fd_ >= 0) {
    read_on(told_);  // what the former one still holds
    ::close(fd_);
  }
  begun_.clear();
  fd_ = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  inode_ = fd_ >= 0 && ::fstat(fd_, &now) == 0 ? now.st_ino : 0;
}

void LiveTextReader::read_on(const Told& told) {
  if (fd_ < 0) return;
  std::array<char, 64 * 1024> bytes;
  for (ssize_t got = 0; (got = ::read(fd_, bytes.data(), bytes.size())) > 0;) {
    begun_.append(bytes.data(), static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (std::size_t end = 0; (end = begun_.find('\n', at)) != std::string::npos; at = end + 1)
      if (const auto piece = read_line(workflow_, std::string_view(begun_).substr(at, end - at))) told(*piece);
    begun_.erase(0, at);
  }
}

void LiveTextReader::tell_unfinished() {
  std::vector<AnswerPiece> pieces;
  read_on([&](const AnswerPiece& piece) {
    if (piece.text.empty())
      std::erase_if(pieces, [&](const AnswerPiece& other) { return other.task == piece.task && other.call == piece.call; });
    else
      pieces.push_back(piece);
  });
  for (const AnswerPiece& piece : pieces) told_(piece);
}

}  // namespace conductorai::infrastructure
