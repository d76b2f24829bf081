# Warnings, as errors where asked for, on the project's own targets; sanitizers with RXNN_SANITIZE; libFuzzer's targets
# with RXNN_FUZZ.
set(RXNN_SANITIZE "" CACHE STRING
    "address: AddressSanitizer and UndefinedBehaviorSanitizer; thread: ThreadSanitizer (needs clang); empty: none")
set_property(CACHE RXNN_SANITIZE PROPERTY STRINGS "" address thread)
option(RXNN_FUZZ "Build the fuzz targets (needs clang)" OFF)

add_library(rxnn_flags INTERFACE)
target_compile_options(rxnn_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wno-unused-parameter;-fno-math-errno>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${RXNN_WERROR}>>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang says so where it does not vectorise a loop that OpenMP's simd asks it to: no error.
  target_compile_options(rxnn_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-pass-failed>)
endif()
if(RXNN_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(RXNN_SANITIZE STREQUAL "thread")
  # GCC's OpenMP library is opaque to ThreadSanitizer: it would report every loop. LLVM's tells of its barriers (Archer).
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "RXNN_SANITIZE=thread needs clang++ and libomp: cmake --preset tsan")
  endif()
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(RXNN_SANITIZE)
  message(FATAL_ERROR "RXNN_SANITIZE is ${RXNN_SANITIZE}, expected address, thread or nothing")
endif()
if(RXNN_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "RXNN_FUZZ needs clang++: cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Headers of libraries that nearly every file of a target reads, compiled once: reading them is a third of a build. Not with
# ccache, whose copies of object files serve better and which precompiled headers put off. A file still includes what it
# uses: -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON builds too.
function(rxnn_precompile_headers target)
  if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()
