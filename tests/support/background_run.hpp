// SPDX-License-Identifier: Apache-2.0
// A command that runs beside the test, to be killed.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace rastertide::testing_support {

/// Processes whose command line holds a word, but for this one and shells: the ranks of a run, and mpirun.
inline std::vector<pid_t> processes_with(const std::string& word) {
    std::vector<pid_t> found;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto pid = static_cast<pid_t>(std::atoi(name.c_str()));
        std::ifstream file(entry.path() / "cmdline", std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();  // no exception from a process that ends meanwhile
        const std::string line = text.str();
        if (pid != getpid() && !line.starts_with("sh") && !line.starts_with("/bin/sh") &&
            line.find(word) != std::string::npos)
            found.push_back(pid);
    }
    return found;
}

class BackgroundRun {
  public:
    /// @param log  takes stdout and stderr
    BackgroundRun(const std::string& command, const std::string& log) : pid_(fork()) {
        if (pid_ != 0) return;
        setsid();
        const std::string line = command + " >'" + log + "' 2>&1";
        execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
        _exit(127);
    }
    BackgroundRun(const BackgroundRun&) = delete;
    BackgroundRun& operator=(const BackgroundRun&) = delete;
    ~BackgroundRun() { wait(); }

    /// SIGKILL to all of its processes. @param word  that is in their command lines alone
    void kill_all(const std::string& word) {
        // mpirun may start ranks between two looks.
        for (int n_quiet = 0; n_quiet < 2;) {
            const std::vector<pid_t> alive = processes_with(word);
            for (const pid_t pid : alive) kill(pid, SIGKILL);
            n_quiet = alive.empty() ? n_quiet + 1 : 0;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        wait();
    }

    /// @return exit code, 128 + signal of a killed one
    int wait() {
        collect(0);
        return code_;
    }

    bool has_ended() {
        collect(WNOHANG);
        return pid_ == 0;
    }

  private:
    void collect(int options) {
        int status = 0;
        if (pid_ <= 0 || waitpid(pid_, &status, options) != pid_) return;
        pid_ = 0;
        code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    pid_t pid_;
    int code_ = -1;
};

}  // namespace rastertide::testing_support
