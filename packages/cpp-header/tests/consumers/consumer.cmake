# The program that every consumer builds, with a user's strictest settings.
add_executable(consumer "${CMAKE_CURRENT_LIST_DIR}/main.cpp" "${CMAKE_CURRENT_LIST_DIR}/other.cpp")
target_compile_options(consumer PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# Without this, CMake includes an imported package as a system header, and the compiler hides its warnings.
set_target_properties(consumer PROPERTIES NO_SYSTEM_FROM_IMPORTED ON)
