#include "golanes/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define TRIES 16
#define RATE_ONE (UINT64_C(1) << 32)

static int64_t now_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#if defined(__x86_64__)
/** Clock sources of the kernel that are made from the TSC. Where it has turned to another one, it found the TSC wanting. */
static bool kernel_trusts_tsc(void)
{
    static const char *const good[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page"};
    char text[64];
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true; /* nobody to ask: the processor's word must do */
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    for (size_t i = 0; n > 0 && i < sizeof good / sizeof *good; i++) {
        size_t len = strlen(good[i]);
        if ((size_t)n >= len && !memcmp(text, good[i], len) && ((size_t)n == len || text[len] == '\n'))
            return true;
    }
    return n <= 0;
}

gl_ring_clock gl_clock_best(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    bool constant = __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & (1u << 8));
    return constant && kernel_trusts_tsc() ? GL_RING_CLOCK_TSC : GL_RING_CLOCK_MONOTONIC;
}
#elif defined(__aarch64__)
gl_ring_clock gl_clock_best(void)
{
    return GL_RING_CLOCK_CNTVCT; /* constant and never stopping by the architecture */
}
#else
gl_ring_clock gl_clock_best(void)
{
    return GL_RING_CLOCK_MONOTONIC;
}
#endif

uint64_t gl_clock_ticks(gl_ring_clock clock)
{
#if defined(__x86_64__)
    if (clock == GL_RING_CLOCK_TSC)
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    if (clock == GL_RING_CLOCK_CNTVCT) {
        uint64_t ticks;
        __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
        return ticks;
    }
#endif
    (void)clock;
    return (uint64_t)now_ns(CLOCK_MONOTONIC);
}

void gl_clock_take(gl_ring_clock clock, gl_ring_pair *out)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = gl_clock_ticks(clock);
        int64_t monotonic = now_ns(CLOCK_MONOTONIC);
        uint64_t after = gl_clock_ticks(clock);
        int64_t wall = now_ns(CLOCK_REALTIME);
        if (after - before >= best)
            continue;
        best = after - before;
        out->ticks = clock == GL_RING_CLOCK_MONOTONIC ? (uint64_t)monotonic : before + best / 2;
        out->monotonic_ns = monotonic;
        out->wall_ns = wall;
    }
}

/** Quotient of two spans, times 2^32; 1 ns a tick where they make no sense. */
static uint64_t rate_of(uint64_t ticks, int64_t ns)
{
    if (ticks == 0 || ns <= 0)
        return RATE_ONE;
    __extension__ unsigned __int128 rate = ((unsigned __int128)(uint64_t)ns << 32) / ticks;
    return rate == 0 || rate > UINT64_MAX / 2 ? RATE_ONE : (uint64_t)rate;
}

static const gl_clock_segment *newest(const gl_clock_map *map)
{
    return &map->segment[(map->count - 1) % GL_CLOCK_SEGMENTS];
}

/** Along one line, also backwards from its start. */
static int64_t along(const gl_clock_segment *s, uint64_t ticks)
{
    bool back = ticks < s->ticks;
    uint64_t ns = gl_clock_span_ns(s, back ? s->ticks - ticks : ticks - s->ticks);
    return (int64_t)((uint64_t)s->ns + (back ? 0 - ns : ns));
}

void gl_clock_map_start(gl_clock_map *map, const gl_ring_pair *first, const gl_ring_pair *second)
{
    memset(map, 0, sizeof *map);
    map->segment[0] = (gl_clock_segment){first->ticks, first->monotonic_ns,
                                         rate_of(second->ticks - first->ticks, second->monotonic_ns - first->monotonic_ns)};
    map->last = *first;
    map->count = 1;
}

void gl_clock_map_add(gl_clock_map *map, const gl_ring_pair *pair)
{
    if (pair->ticks <= map->last.ticks || pair->monotonic_ns <= map->last.monotonic_ns)
        return;
    uint64_t span = pair->ticks - map->last.ticks;
    int64_t took = pair->monotonic_ns - map->last.monotonic_ns, here = along(newest(map), pair->ticks);
    /* The next stretch is to take as long as this one did, and to end on the true line. A stretch in which little time
       is left for that still goes forward. */
    int64_t next = pair->monotonic_ns + took - here;
    if (next < took / 2)
        next = took / 2;
    map->segment[map->count++ % GL_CLOCK_SEGMENTS] = (gl_clock_segment){pair->ticks, here, rate_of(span, next)};
    map->last = *pair;
}

/** Number of the line, from the newest backwards. */
static uint32_t line_of(const gl_clock_map *map, uint64_t ticks)
{
    uint32_t oldest = map->count > GL_CLOCK_SEGMENTS ? map->count - GL_CLOCK_SEGMENTS : 0, i = map->count - 1;
    while (i > oldest && ticks < map->segment[i % GL_CLOCK_SEGMENTS].ticks)
        i--;
    return i;
}

int64_t gl_clock_map_ns(const gl_clock_map *map, uint64_t ticks)
{
    return along(&map->segment[line_of(map, ticks) % GL_CLOCK_SEGMENTS], ticks);
}

uint64_t gl_clock_map_find(const gl_clock_map *map, uint64_t ticks, gl_clock_segment *line)
{
    *line = gl_clock_map_newest(map);
    if (ticks >= line->ticks)
        return UINT64_MAX;
    uint32_t i = line_of(map, ticks);
    *line = map->segment[i % GL_CLOCK_SEGMENTS];
    return ticks < line->ticks ? 0 : map->segment[(i + 1) % GL_CLOCK_SEGMENTS].ticks - line->ticks;
}
