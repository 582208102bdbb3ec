/*
 * libcurl, loaded when something is to be fetched: it brings some thirty libraries, which take longer to start than most
 * commands take altogether. Threads: call from one thread.
 */
#ifndef GOLANES_TRACER_CURL_LATE_H
#define GOLANES_TRACER_CURL_LATE_H

#include <curl/curl.h>

#include "golanes/error.h"

/** What is used of it: X(result, name, arguments). */
#define GL_CURL_LIST(X)                                                                                                \
    X(CURLcode, curl_global_init, (long))                                                                              \
    X(void, curl_global_cleanup, (void))                                                                               \
    X(CURL *, curl_easy_init, (void))                                                                                  \
    X(void, curl_easy_cleanup, (CURL *))                                                                               \
    X(CURLcode, curl_easy_setopt, (CURL *, CURLoption, ...))                                                           \
    X(CURLcode, curl_easy_getinfo, (CURL *, CURLINFO, ...))                                                            \
    X(CURLcode, curl_easy_perform, (CURL *))                                                                           \
    X(const char *, curl_easy_strerror, (CURLcode))                                                                    \
    X(curl_version_info_data *, curl_version_info, (CURLversion))

typedef struct gl_curl {
#define X(result, name, arguments) result(*late_##name) arguments;
    GL_CURL_LIST(X)
#undef X
} gl_curl;

/** Lives as long as the process. NULL: it is not there; err says so. */
const gl_curl *gl_curl_load(gl_error *err);
/** "not found" where it is not there. */
const char *gl_curl_version(void);

#endif
