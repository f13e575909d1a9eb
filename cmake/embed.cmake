# The page inside the program: web/** becomes one C file, so that the binary needs no folder beside
# it. Included by src/CMakeLists.txt (duet_embed_web), and run as a script at build time.

# duet_embed_web(<target>): add the generated file to a library; it is made again when a file of
# web/ changes, comes or goes.
function(duet_embed_web target)
  set(web ${CMAKE_SOURCE_DIR}/web)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/web_files.c)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${web}/*)
  # The list of names is a dependency too: a file that was taken away leaves no newer file behind.
  list(JOIN files "\n" names)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/web_files.list CONTENT "${names}\n")
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DWEB=${web} -DOUT=${generated} -P ${script}
    DEPENDS ${files} ${script} ${CMAKE_CURRENT_BINARY_DIR}/web_files.list
    COMMENT "Embedding the files of web/"
    VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  return()
endif()

file(GLOB_RECURSE files RELATIVE ${WEB} ${WEB}/*)
list(SORT files)
set(data "")
set(rows "")
set(n 0)
foreach(file ${files})
  # Only what a browser is served (the types that src/net/files.c knows), and nothing hidden.
  if(NOT file MATCHES "\\.(html|js|mjs|css|json|webmanifest|svg|png|ico|webp|woff2|txt|map|wav|mp3|ogg)$"
     OR file MATCHES "(^|/)\\." OR NOT file MATCHES "^[A-Za-z0-9._/-]+$")
    continue()
  endif()
  file(READ ${WEB}/${file} hex HEX)
  file(SIZE ${WEB}/${file} size)
  file(SHA256 ${WEB}/${file} hash)
  string(SUBSTRING ${hash} 0 32 etag)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND data "static const uint8_t file_${n}[] = {\n${hex}0x00};\n")
  string(APPEND rows "    {\"/${file}\", \"\\\"${etag}\\\"\", file_${n}, ${size}},\n")
  math(EXPR n "${n} + 1")
endforeach()

file(WRITE ${OUT} "/* Generated from web/ by cmake/embed.cmake. */
#include \"net/web_files.h\"

${data}
const struct net_web_file net_web_files[] = {
${rows}    {NULL, NULL, NULL, 0},
};
const size_t net_n_web_files = ${n};
")
