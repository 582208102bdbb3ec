#include "curl_late.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#define SONAME "libcurl.so.4"

static int find_all(void *library, gl_curl *out)
{
    void *at;
#define X(result, name, arguments)                                                                                     \
    if (!(at = dlsym(library, #name)))                                                                                 \
        return -1;                                                                                                     \
    memcpy(&out->late_##name, &at, sizeof at);
    GL_CURL_LIST(X)
#undef X
    return 0;
}

const gl_curl *gl_curl_load(gl_error *err)
{
    static gl_curl curl;
    static bool loaded;
    if (loaded)
        return &curl;
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!library || find_all(library, &curl) < 0) {
        gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "an address can only be fetched with libcurl (%s), which is not here", SONAME);
        if (library)
            dlclose(library);
        return NULL;
    }
    loaded = true; /* it stays: what it started may still be at work */
    return &curl;
}

const char *gl_curl_version(void)
{
    const gl_curl *curl = gl_curl_load(NULL);
    return curl ? curl->late_curl_version_info(CURLVERSION_NOW)->version : "not found";
}
