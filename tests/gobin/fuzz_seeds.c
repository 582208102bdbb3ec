/* Writes made programs to begin fuzzing with.   gobin_seeds FOLDER */
#include <stdio.h>

#include "maker.h"

int main(int argc, char **argv)
{
    static maker m;
    static const unsigned releases[] = {18, 20, 26, 27};
    for (unsigned i = 0; argc == 2 && i < 8; i++) {
        char path[4096];
        maker_make(&m, &(maker_options){.minor = releases[i / 2], .pie = i % 2});
        snprintf(path, sizeof path, "%s/go1.%u%s", argv[1], releases[i / 2], i % 2 ? "-pie" : "");
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(m.bytes, 1, m.n, f) != m.n || fclose(f) != 0) {
            perror(path);
            return 1;
        }
    }
    return argc == 2 ? 0 : 2;
}
