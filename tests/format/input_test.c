#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "golanes/input.h"

#define PLAIN_BYTES 1000000

static unsigned char plain[PLAIN_BYTES], packed[2 * PLAIN_BYTES], back[PLAIN_BYTES];

static int fill(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof plain; i++) {
        x = x * 1664525 + 1013904223;
        plain[i] = (unsigned char)(x >> 24 & (i % 3000 < 1500 ? 0xff : 0x03));
    }
    return 0;
}

static size_t pack_gzip(void)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = plain;
    z.avail_in = sizeof plain;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = z.total_out;
    deflateEnd(&z);
    return n;
}

static gl_input *open_bytes(const void *bytes, size_t n, gl_error *err)
{
    char path[] = "/tmp/golanes-input-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    gl_input *in = NULL;
    int rc = gl_input_open(path, NULL, NULL, &in, err);
    unlink(path);
    return rc == 0 ? in : NULL;
}

static void expect_plain(gl_input *in, const char *packing)
{
    assert_non_null(in);
    assert_string_equal(gl_input_packing(in), packing);
    assert_int_equal(gl_input_size(in), sizeof plain);
    assert_false(gl_input_was_cut(in, NULL));
    assert_int_equal(gl_input_read(in, 0, back, sizeof back), sizeof back);
    assert_memory_equal(back, plain, sizeof plain);
    assert_int_equal(gl_input_read(in, sizeof plain - 10, back, 100), 10);
    assert_int_equal(gl_input_read(in, sizeof plain, back, 100), 0);
    gl_input_close(in);
}

static void plain_gzip_and_zstd_files_give_the_same_bytes(void **state)
{
    (void)state;
    gl_error err = {0};
    expect_plain(open_bytes(plain, sizeof plain, &err), "plain");
    size_t n = pack_gzip();
    expect_plain(open_bytes(packed, n, &err), "gzip");
    n = ZSTD_compress(packed, sizeof packed, plain, sizeof plain, 3);
    expect_plain(open_bytes(packed, n, &err), "zstd");
}

static void a_cut_packed_file_gives_what_can_be_unpacked_and_says_so(void **state)
{
    (void)state;
    gl_error err = {0};
    size_t sizes[2] = {0, 0};
    sizes[0] = pack_gzip();
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            sizes[1] = ZSTD_compress(packed, sizeof packed, plain, sizeof plain, 3);
        gl_input *in = open_bytes(packed, sizes[i] * 2 / 3, &err);
        assert_non_null(in);
        const char *why;
        assert_true(gl_input_was_cut(in, &why));
        assert_non_null(strstr(why, "ends early"));
        uint64_t size = gl_input_size(in);
        assert_true(size > 0 && size < sizeof plain);
        assert_int_equal(gl_input_read(in, 0, back, sizeof back), (ssize_t)size);
        assert_memory_equal(back, plain, size);
        gl_input_close(in);
    }
}

static void a_damaged_packed_file_is_said_to_be_damaged(void **state)
{
    (void)state;
    gl_error err = {0};
    size_t n = pack_gzip();
    memset(packed + n / 2, 0xff, 64);
    gl_input *in = open_bytes(packed, n, &err);
    assert_non_null(in);
    const char *why;
    assert_true(gl_input_was_cut(in, &why));
    gl_input_close(in);
}

static void a_pipe_is_read_to_its_end(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    size_t n = ZSTD_compress(packed, sizeof packed, plain, 40000, 3);
    assert_int_equal(write(ends[1], packed, n), (ssize_t)n);
    close(ends[1]);
    gl_input *in;
    gl_error err = {0};
    assert_int_equal(gl_input_from_fd(ends[0], "a pipe", NULL, NULL, &in, &err), 0);
    assert_string_equal(gl_input_packing(in), "zstd");
    assert_int_equal(gl_input_size(in), 40000);
    gl_input_close(in);
}

static void what_is_not_there_or_a_folder_is_refused_with_its_name(void **state)
{
    (void)state;
    gl_input *in = NULL;
    gl_error err = {0};
    assert_int_equal(gl_input_open("/nowhere/x.trace", NULL, NULL, &in, &err), GL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/x.trace"));
    assert_int_equal(gl_input_open("/tmp", NULL, NULL, &in, &err), GL_E_IO);
    assert_non_null(strstr(err.text, "folder"));
}

static int stop_at_once(void *user, uint64_t done, uint64_t total)
{
    (void)user, (void)done, (void)total;
    return 1;
}

static void unpacking_can_be_cancelled(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], plain, 1000), 1000);
    close(ends[1]);
    gl_input *in;
    gl_error err = {0};
    assert_int_equal(gl_input_from_fd(ends[0], "a pipe", stop_at_once, NULL, &in, &err), GL_E_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_gzip_and_zstd_files_give_the_same_bytes),
        cmocka_unit_test(a_cut_packed_file_gives_what_can_be_unpacked_and_says_so),
        cmocka_unit_test(a_damaged_packed_file_is_said_to_be_damaged),
        cmocka_unit_test(a_pipe_is_read_to_its_end),
        cmocka_unit_test(what_is_not_there_or_a_folder_is_refused_with_its_name),
        cmocka_unit_test(unpacking_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
