# Compiler flags for the whole tree: warnings, hardening, sanitizers.
include(CheckCCompilerFlag)

add_library(duet_flags INTERFACE)
target_compile_definitions(duet_flags INTERFACE _GNU_SOURCE)
target_compile_options(duet_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2
  -Wimplicit-fallthrough -fno-common -fno-omit-frame-pointer)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(duet_flags INTERFACE -Wduplicated-cond -Wlogical-op -Wjump-misses-init)
endif()
if(DUET_WERROR)
  target_compile_options(duet_flags INTERFACE -Werror)
endif()

# Layers 0-2 handle bytes and sizes from outside: implicit narrowing is a bug there.
add_library(duet_core_flags INTERFACE)
target_compile_options(duet_core_flags INTERFACE -Wconversion -Wsign-conversion)

# NDEBUG stays undefined: an assert is a bug found, in production and most of all under a fuzzer.
foreach(kind RELWITHDEBINFO RELEASE MINSIZEREL)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${kind} "${CMAKE_C_FLAGS_${kind}}")
endforeach()

# The libraries too are instrumented for coverage: a fuzzer that sees only its own file is blind.
if(DUET_FUZZ)
  target_compile_options(duet_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(DUET_SANITIZE)
  target_compile_options(duet_flags INTERFACE -fsanitize=${DUET_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(duet_flags INTERFACE -fsanitize=${DUET_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(duet_flags INTERFACE -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero)
  else()
    target_compile_options(duet_flags INTERFACE -D_FORTIFY_SOURCE=2)
  endif()
  # The compiler may have a level of its own: taken away before ours is set.
  target_compile_options(duet_flags BEFORE INTERFACE -U_FORTIFY_SOURCE)
  target_compile_options(duet_flags INTERFACE -fstack-protector-strong -fstack-clash-protection)
  check_c_compiler_flag(-fcf-protection DUET_HAVE_CF_PROTECTION)
  if(DUET_HAVE_CF_PROTECTION)
    target_compile_options(duet_flags INTERFACE -fcf-protection)
  endif()
  target_link_options(duet_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
