#include "craft.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void craft_raw(craft *c, const void *bytes, size_t n)
{
    assert(c->n + n <= CRAFT_MAX);
    memcpy(c->bytes + c->n, bytes, n);
    c->n += n;
}

static void byte(craft *c, unsigned b)
{
    uint8_t x = (uint8_t)b;
    craft_raw(c, &x, 1);
}

void craft_number(craft *c, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        byte(c, 0x80 | (unsigned)(v & 0x7f));
    byte(c, (unsigned)v);
}

static void close_batch(craft *c)
{
    if (c->size_at == 0)
        return;
    uint64_t size = c->n - c->size_at - 10;
    for (size_t i = 0; i < 10; i++, size >>= 7)
        c->bytes[c->size_at + i] = (uint8_t)((size & 0x7f) | (i < 9 ? 0x80 : 0));
    c->size_at = 0;
}

void craft_begin(craft *c, unsigned version)
{
    char head[17] = {0};
    snprintf(head, sizeof head, "go 1.%u trace", version);
    c->version = version;
    c->frequency = 15625000;
    c->gen = 0;
    c->n = c->size_at = 0;
    craft_raw(c, head, 16);
}

void craft_batch(craft *c, uint64_t m, uint64_t ticks)
{
    static const uint8_t room[10];
    close_batch(c);
    byte(c, 1);
    craft_number(c, c->gen);
    craft_number(c, m);
    craft_number(c, ticks);
    c->size_at = c->n;
    craft_raw(c, room, sizeof room);
}

void craft_event(craft *c, const uint64_t *v, size_t n)
{
    byte(c, (unsigned)v[0]);
    for (size_t i = 1; i < n; i++)
        craft_number(c, v[i]);
}

void craft_generation(craft *c, uint64_t gen, uint64_t ticks)
{
    c->gen = gen;
    if (c->version < 25)
        return;
    craft_batch(c, UINT64_MAX, ticks);
    byte(c, 50);
    byte(c, 8);
    craft_number(c, c->frequency);
    byte(c, 51);
    craft_number(c, 0);
    craft_number(c, ticks * 64);
    craft_number(c, 1700000000);
    craft_number(c, 5);
    close_batch(c);
}

void craft_string(craft *c, uint64_t id, const char *text)
{
    craft_batch(c, UINT64_MAX, 1000);
    byte(c, 4);
    byte(c, 5);
    craft_number(c, id);
    craft_number(c, strlen(text));
    craft_raw(c, text, strlen(text));
    close_batch(c);
}

void craft_stack(craft *c, uint64_t id, uint64_t pc, uint64_t func, uint64_t file, uint64_t line)
{
    craft_batch(c, UINT64_MAX, 1000);
    byte(c, 2);
    byte(c, 3);
    const uint64_t v[] = {id, 1, pc, func, file, line};
    for (size_t i = 0; i < 6; i++)
        craft_number(c, v[i]);
    close_batch(c);
}

void craft_sample(craft *c, uint64_t ticks, uint64_t m, uint64_t p, uint64_t g, uint64_t stack)
{
    craft_batch(c, UINT64_MAX, 1000);
    byte(c, 6);
    byte(c, 7);
    const uint64_t v[] = {ticks, m, p, g, stack};
    for (size_t i = 0; i < 5; i++)
        craft_number(c, v[i]);
    close_batch(c);
}

void craft_finish(craft *c)
{
    close_batch(c);
    if (c->version < 25) {
        craft_batch(c, UINT64_MAX, 1000);
        byte(c, 8);
        craft_number(c, c->frequency);
        close_batch(c);
    }
    if (c->version >= 26)
        byte(c, 52);
}

void craft_running(craft *c)
{
    EV(c, W_PROC_STATUS, 1, 0, W_P_RUNNING);
    EV(c, W_GO_STATUS, 1, 1, 1, W_RUNNING);
}

void craft_small(craft *c, uint64_t gen, uint64_t ticks)
{
    craft_generation(c, gen, ticks);
    craft_batch(c, 1, ticks + 10);
    craft_running(c);
    EV(c, W_GO_CREATE, 1, 2, 1, 1);
    EV(c, W_GO_BLOCK, 1, 2, 1);
    EV(c, W_GO_START, 1, 2, 1);
    EV(c, W_GO_UNBLOCK, 1, 1, 1, 0);
    EV(c, W_GO_DESTROY, 1);
    EV(c, W_GO_START, 1, 1, 2);
    craft_string(c, 1, "main.main");
    craft_string(c, 2, "chan receive");
    craft_string(c, 3, "main.go");
    craft_stack(c, 1, 0x1000, 1, 3, 7);
    craft_finish(c);
}

void craft_states(craft *c, uint64_t gen, uint64_t ticks, unsigned g2)
{
    craft_generation(c, gen, ticks);
    craft_batch(c, 1, ticks);
    craft_running(c);
    EV(c, W_GO_STATUS, 1, 2, UINT64_MAX, g2);
    craft_finish(c);
}
