# One target a folder: conductorai_library(core DEPENDS contract base LINKS Boost::json) in src/core/CMakeLists.txt.
# *_test.cpp beside the code become the test binary <name>_test.

# What every event of a workflow, every model call and every byte of them go through is compiled for speed. All else is compiled for size: it has
# little to do but much text, of which each process holds what it touches.
set(CONDUCTORAI_HOT contract base runtime core state bus artifacts http llm errors policies coordinator engine agents_base)

function(conductorai_library name)
  cmake_parse_arguments(ARG "" "TEST_TIMEOUT" "DEPENDS;LINKS;TEST_LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_main)\\.cpp$")
  set(libraries)
  foreach(dependency ${ARG_DEPENDS})
    list(APPEND libraries conductorai_${dependency})
  endforeach()
  if(sources)
    add_library(conductorai_${name} STATIC ${sources})
    set_property(GLOBAL APPEND PROPERTY CONDUCTORAI_PARTS conductorai_${name})
    target_link_libraries(conductorai_${name} PUBLIC conductorai_flags ${libraries} ${ARG_LINKS})
    if(name IN_LIST CONDUCTORAI_HOT)
      target_precompile_headers(conductorai_${name} REUSE_FROM conductorai_precompiled_fast)
    else()
      target_compile_options(conductorai_${name} PRIVATE ${CONDUCTORAI_SMALL})
      target_precompile_headers(conductorai_${name} REUSE_FROM conductorai_precompiled_small)
    endif()
  else()
    add_library(conductorai_${name} INTERFACE)
    target_link_libraries(conductorai_${name} INTERFACE conductorai_flags ${libraries} ${ARG_LINKS})
  endif()
  if(tests AND CONDUCTORAI_TESTS)
    conductorai_test(${name}_test SOURCES ${tests} LINKS conductorai_${name} ${ARG_TEST_LINKS} TIMEOUT "${ARG_TEST_TIMEOUT}")
  endif()
endfunction()

function(conductorai_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINKS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE conductorai_flags ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM conductorai_precompiled_tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "ASAN_OPTIONS=detect_stack_use_after_return=0")
endfunction()

# conductorai_embed(target NAMESPACE ns HEADER x/y.hpp FUNCTION f FILES …): the files' contents as raw string literals, by the name under which
# `const std::map<std::string_view, std::string_view>& f()` of that header finds them; WITHOUT_EXTENSION leaves the ending out of the names.
function(conductorai_embed target)
  cmake_parse_arguments(ARG "WITHOUT_EXTENSION" "NAMESPACE;HEADER;FUNCTION" "FILES" ${ARGN})
  set(entries "")
  foreach(file ${ARG_FILES})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    if(ARG_WITHOUT_EXTENSION)
      get_filename_component(name ${file} NAME_WE)
    else()
      get_filename_component(name ${file} NAME)
    endif()
    file(READ ${file} content)
    string(APPEND entries "      {\"${name}\", R\"__file__(${content})__file__\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${ARG_FUNCTION}.cpp CONTENT [[
#include "@ARG_HEADER@"

namespace @ARG_NAMESPACE@ {

const std::map<std::string_view, std::string_view>& @ARG_FUNCTION@() {
  static const std::map<std::string_view, std::string_view> all = {
@entries@  };
  return all;
}

}  // namespace @ARG_NAMESPACE@
]] @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.cpp)
endfunction()
