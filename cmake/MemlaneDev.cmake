# memlane_dev: how the repository compiles its own C++ code. Link it PRIVATE; users never see it.
add_library(memlane_dev INTERFACE)
target_link_libraries(memlane_dev INTERFACE memlane::memlane)
target_compile_options(memlane_dev INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

# Standard C++, so that no extension of one compiler slips in.
set(CMAKE_CXX_EXTENSIONS OFF)

# The headers are under test too, so their warnings count: no SYSTEM include path.
set(CMAKE_NO_SYSTEM_FROM_IMPORTED ON)

if(MEMLANE_SANITIZE)
  # Everything in the build, GoogleTest included: a race is seen only where both sides are instrumented.
  add_compile_options("-fsanitize=${MEMLANE_SANITIZE}" -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${MEMLANE_SANITIZE}")
  if(MEMLANE_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC cannot instrument atomic_thread_fence for ThreadSanitizer, and says so at every use.
    target_compile_options(memlane_dev INTERFACE -Wno-tsan)
  endif()
endif()

# memlane_program(NAME SOURCE...): an executable over the core, built as strictly as the rest.
function(memlane_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE memlane_dev)
endfunction()
