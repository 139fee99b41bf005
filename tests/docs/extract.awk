# SPDX-License-Identifier: Apache-2.0
# The C++ of a Markdown file, for tests/docs/CMakeLists.txt.
#
#   awk -v out=DIR -v file=docs/guide.md -f extract.awk guide.md
#
# A ```cpp block that contains "int main" is a program: DIR/N.cpp, and DIR/N.expected when a ```text
# block under a line <!-- output --> follows it. Any other ```cpp block is a fragment and says so in
# the line before:
#   <!-- fragment -->                          statements, compiled as the body of a function
#   <!-- fragment: needs harrier::runtime& rt --> ... of a function with these parameters
#   <!-- fragment: namespace -->               declarations
# All fragments of a file go to DIR/fragments.cpp. stdout gets a line "program N" for each program and
# "unmarked FILE:LINE" for each block that is neither.

function flush_block(   target, is_coroutine) {
  if (language == "text") {
    if (mark ~ /^<!-- output -->/ && last_program) {
      printf "%s", body > (out "/" last_program ".expected")
    }
    return
  }
  last_program = 0
  if (body ~ /int main\(/) {
    last_program = ++programs
    target = out "/" programs ".cpp"
    printf "#line %d \"%s\"\n%s", first, file, body > target
    print "program " programs
  } else if (mark ~ /^<!-- fragment/) {
    write_fragment()
  } else {
    print "unmarked " file ":" first
  }
}

function write_fragment(   needs, head) {
  if (!fragments++) {
    print "#include \"fragments.hpp\"" > fragment_file
  }
  printf "namespace fragment_%d {\n", fragments > fragment_file
  if (mark !~ /^<!-- fragment: namespace/) {
    needs = mark
    if (!sub(/^<!-- fragment: needs /, "", needs)) needs = ""
    sub(/ *-->.*$/, "", needs)
    # Whatever awaits is the body of a coroutine; the rest is ordinary code.
    head = body ~ /co_await|co_return/ ? "harrier::task<void>" : "void"
    printf "[[maybe_unused]] static %s body(%s) {\n", head, needs > fragment_file
  }
  gsub(/#include [^\n]*/, "", body)  # they are all in fragments.hpp
  printf "#line %d \"%s\"\n%s", first, file, body > fragment_file
  print (mark !~ /^<!-- fragment: namespace/ ? "}\n}" : "}") > fragment_file
}

BEGIN { fragment_file = out "/fragments.cpp" }

# A mark counts only for the block under it; a program keeps its place until the next block.
in_block && /^```/ { in_block = 0; flush_block(); mark = ""; next }
in_block { body = body $0 "\n"; next }
/^```(cpp|c\+\+|text)$/ {
  language = $0 == "```text" ? "text" : "cpp"
  in_block = 1; body = ""; first = NR + 1
  next
}
/^```./ { in_other = 1; mark = ""; last_program = 0; next }
/^```$/ { in_other = !in_other; mark = ""; last_program = 0; next }
in_other { next }
/^<!--/ { mark = $0; next }
/^[ \t]*$/ { next }
{ mark = "" }
