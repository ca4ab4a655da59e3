option(CONDUCTORAI_TESTS "Build the tests" ON)
set(CONDUCTORAI_SANITIZE "" CACHE STRING "Sanitizers of our targets: address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  # It keeps nothing that was compiled with precompiled headers unless it is told that their names and times may be left out.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

# Our programs are large with their debug information, and many: GNU ld takes several times as long.
include(CheckLinkerFlag)
check_linker_flag(CXX "-fuse-ld=lld" CONDUCTORAI_LLD)
if(CONDUCTORAI_LLD)
  add_link_options("-fuse-ld=lld")
  # What only runs at the start (each source's constructors) lies together, and what nobody calls or what is there twice goes.
  add_link_options("$<$<CONFIG:Release>:-Wl,-z,keep-text-section-prefix,--gc-sections,--icf=safe>")
endif()

# What users run needs glibc, libmimalloc, and libcurl for requests (docs/adr/0011-libraries-inside.md).
option(CONDUCTORAI_STATIC "Take libraries into the programs instead of linking to them" OFF)
if(CONDUCTORAI_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)
  set(Boost_USE_STATIC_LIBS ON)
  add_link_options(-static-libstdc++ -static-libgcc)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL 7.85 REQUIRED)  # its headers: nothing links it (docs/adr/0010-libcurl-on-demand.md)
find_package(CLI11 REQUIRED)
if(CONDUCTORAI_STATIC)
  add_library(conductorai_fmt STATIC cmake/fmt.cpp)
  add_library(fmt::fmt ALIAS conductorai_fmt)
else()
  find_package(fmt REQUIRED)
endif()
find_package(valijson REQUIRED)
if(CONDUCTORAI_TESTS)
  find_package(GTest REQUIRED)
endif()

# What our programs allocate with (docs/adr/0008-mimalloc.md). Sanitizers bring an allocator of their own.
add_library(conductorai_allocator INTERFACE)
if(NOT CONDUCTORAI_SANITIZE)
  find_package(mimalloc 2.0 REQUIRED)
  target_link_libraries(conductorai_allocator INTERFACE mimalloc)
endif()

# Flags of our targets only.
add_library(conductorai_flags INTERFACE)
target_compile_options(conductorai_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow -Wno-missing-field-initializers
                                                   -Wno-missing-designated-field-initializers -fno-omit-frame-pointer
                                                   $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>
                                                   $<$<CONFIG:Release>:-ffunction-sections> $<$<CONFIG:Release>:-fdata-sections>)
target_compile_definitions(conductorai_flags INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION CONDUCTORAI_VERSION="${PROJECT_VERSION}")
target_include_directories(conductorai_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
if(CONDUCTORAI_SANITIZE)
  target_compile_options(conductorai_flags INTERFACE -fsanitize=${CONDUCTORAI_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(conductorai_flags INTERFACE -fsanitize=${CONDUCTORAI_SANITIZE})
endif()
