# Every target of ours links golanes_flags: warnings, feature macros, sanitizers, coverage counters.
add_library(golanes_flags INTERFACE)
target_compile_definitions(golanes_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(golanes_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
  -Wundef -Wvla -Wformat=2 -Wcast-qual $<$<BOOL:${GOLANES_WERROR}>:-Werror>)
if(GOLANES_SANITIZE)
  target_compile_options(golanes_flags INTERFACE -fsanitize=${GOLANES_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(golanes_flags INTERFACE -fsanitize=${GOLANES_SANITIZE})
endif()
if(GOLANES_COVERAGE)
  target_compile_options(golanes_flags INTERFACE --coverage)
  target_link_options(golanes_flags INTERFACE --coverage)
  find_program(GCOVR gcovr)
  if(GCOVR)
    add_custom_target(coverage-report
      COMMAND ${GCOVR} --root ${PROJECT_SOURCE_DIR} --exclude tests/ --exclude bench/ --exclude examples/ ${CMAKE_BINARY_DIR}
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} USES_TERMINAL)
  endif()
endif()
