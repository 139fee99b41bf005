// SPDX-License-Identifier: Apache-2.0
// harrier_fuzz_TARGET [--inputs N] [--seed S] FILE_OR_DIRECTORY...: what takes the place of libFuzzer where
// there is none. Runs the target on every file, then on N inputs that follow from S: some are random
// bytes, the others files of the corpus with a few changes. Prints how many it ran; of the one that
// fails, its bytes, which a file can be made of by `xxd -r -p`.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string under_test;  // static: the handler of a fatal signal prints it

extern "C" void print_input(int number) {
  std::fprintf(stderr, "fails for: ");
  for (const char each : under_test) std::fprintf(stderr, "%02x", static_cast<unsigned char>(each));
  std::fprintf(stderr, "\n");
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void run(std::string bytes) {
  under_test = std::move(bytes);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(under_test.data()),
                         under_test.size());
}

std::vector<std::string> read_corpus(const std::vector<std::filesystem::path>& named) {
  std::vector<std::filesystem::path> files;
  for (const auto& each : named) {
    if (!std::filesystem::is_directory(each)) {
      files.push_back(each);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(each)) files.push_back(entry);
  }
  std::sort(files.begin(), files.end());  // the order in a directory is no order
  std::vector<std::string> corpus;
  for (const auto& each : files) {
    std::ifstream file(each, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", each.c_str());
      std::exit(2);
    }
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

using random_numbers = std::mt19937_64;

std::string random_bytes(random_numbers& random) {
  std::string bytes(random() % 200, '\0');
  for (char& each : bytes) each = static_cast<char>(random());
  return bytes;
}

/// Other bytes here and there, a piece left out or a piece of another one put in.
std::string changed(std::string bytes, const std::string& other, random_numbers& random) {
  for (auto changes = 1 + random() % 4; changes != 0; --changes) {
    const std::size_t at = random() % (bytes.size() + 1);
    switch (random() % 4) {
      case 0:
        bytes.erase(at, random() % 8);
        break;
      case 1:
        bytes.insert(at, other, random() % (other.size() + 1), random() % 16);
        break;
      case 2:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random());
        break;
    }
  }
  return bytes;
}

void run_random(std::uint64_t count, std::uint64_t seed, const std::vector<std::string>& corpus) {
  for (std::uint64_t index = 0; index < count; ++index) {
    random_numbers random(seed * 1'000'003 + index);
    if (corpus.empty() || index % 2 == 0) {
      run(random_bytes(random));
    } else {
      const std::string& one = corpus[random() % corpus.size()];
      run(changed(one, corpus[random() % corpus.size()], random));
    }
  }
}

}  // namespace

int main(int count, char** values) {
  std::uint64_t inputs = 300;
  std::uint64_t seed = 1;
  std::vector<std::filesystem::path> named;
  for (int at = 1; at < count; ++at) {
    const std::string_view name = values[at];
    const bool has_value = at + 1 < count;
    if (name == "--inputs" && has_value) {
      inputs = std::strtoull(values[++at], nullptr, 0);
    } else if (name == "--seed" && has_value) {
      seed = std::strtoull(values[++at], nullptr, 0);
    } else {
      named.emplace_back(name);
    }
  }
  for (const int each : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) std::signal(each, print_input);
  const std::vector<std::string> corpus = read_corpus(named);
  for (const std::string& each : corpus) run(each);
  run_random(inputs, seed, corpus);
  std::printf("fuzz executions: %zu of the corpus, %llu of seed %llu\n", corpus.size(),
              static_cast<unsigned long long>(inputs), static_cast<unsigned long long>(seed));
}
