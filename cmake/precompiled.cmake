# Reading the standard library and fmt anew is a quarter of what a source takes to compile. Each source includes what it uses all the same:
# the preset `tidy` compiles without.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "")

# conductorai_precompile(name OPTIONS … LINKS … HEADERS …): for `target_precompile_headers(… REUSE_FROM conductorai_precompiled_name)` of what is
# compiled with the same options.
function(conductorai_precompile name)
  cmake_parse_arguments(ARG "" "" "OPTIONS;LINKS;HEADERS" ${ARGN})
  set(standard <algorithm> <array> <chrono> <coroutine> <cstdint> <deque> <expected> <filesystem> <fstream> <functional> <map> <memory> <optional>
               <ranges> <set> <span> <sstream> <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
  add_library(conductorai_precompiled_${name} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(conductorai_precompiled_${name} PRIVATE conductorai_flags fmt::fmt ${ARG_LINKS})
  target_compile_options(conductorai_precompiled_${name} PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(conductorai_precompiled_${name} PRIVATE ${standard} ${ARG_HEADERS})
endfunction()

# For size instead of speed (library.cmake says what).
set(CONDUCTORAI_SMALL $<$<CONFIG:Release>:-Os>)

conductorai_precompile(fast)
conductorai_precompile(small OPTIONS ${CONDUCTORAI_SMALL})
if(CONDUCTORAI_TESTS)
  conductorai_precompile(tests LINKS GTest::gmock HEADERS <gmock/gmock.h> <gtest/gtest.h>)
endif()
