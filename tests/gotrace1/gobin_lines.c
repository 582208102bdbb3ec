/* gobin_lines PROGRAM < addresses: function and file:line of each, as go tool addr2line prints them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "golanes/gobin.h"

int main(int argc, char **argv)
{
    gl_gobin *bin;
    gl_error err = {0};
    char line[64];
    if (argc != 2 || gl_gobin_open(argv[1], &bin, &err) < 0) {
        fprintf(stderr, "%s\n", argc == 2 ? err.text : "usage: gobin_lines PROGRAM < addresses");
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        gl_gobin_place name = {0};
        if (gl_gobin_find(bin, strtoull(line, NULL, 16), &name))
            printf("%s\n%s:%" PRIu32 "\n", name.func, name.file, name.line);
        else
            printf("?\n?:0\n");
    }
    gl_gobin_close(bin);
    return 0;
}
