#include "steps.h"

#include <stdlib.h>
#include <string.h>

void gl_steps_clean_up(gl_steps *ss)
{
    free(ss->list);
    free(ss->slots);
    gl_ids_clean_up(&ss->slot_of);
    memset(ss, 0, sizeof *ss);
}

/* Where an event keeps the fill, and its result where it has one. */
static bool fill_of(const gl_event *ev, gl_step *s)
{
    switch (ev->type) {
    case GL_EV_ChanMake: return true;
    case GL_EV_ChanSendBegin:
    case GL_EV_ChanRecvBegin: s->len = (uint32_t)ev->arg[1]; break;
    case GL_EV_ChanSendEnd:
    case GL_EV_ChanRecvEnd:
    case GL_EV_ChanClose:
        s->len = (uint32_t)ev->arg[1];
        s->result = (uint8_t)ev->arg[2];
        break;
    case GL_EV_ChanSelectEnd:
        s->len = (uint32_t)ev->arg[2];
        s->result = (uint8_t)ev->arg[3];
        s->dir = (uint8_t)ev->arg[1];
        return s->dir != GL_CHAN_DEFAULT;
    default: return false;
    }
    if (ev->type == GL_EV_ChanSendBegin || ev->type == GL_EV_ChanSendEnd)
        s->dir = GL_CHAN_SEND;
    else if (ev->type != GL_EV_ChanClose)
        s->dir = GL_CHAN_RECV;
    return true;
}

int gl_steps_take(gl_steps *ss, const gl_model *m, const gl_event *ev)
{
    gl_step s = {.time = ev->time, .type = ev->type, .gor = gl_model_find(m, ev->g)};
    if (!fill_of(ev, &s))
        return 0;
    s.id = ev->arg[0];
    if (ss->n >= GL_NONE || GL_ROOM(ss->list, ss->capacity, ss->n) < 0)
        return GL_E_NOMEM;
    ss->list[ss->n++] = s;
    return 0;
}

/* A counting sort keeps the order of events within a channel. */
int gl_steps_sort(gl_steps *ss, const gl_model *m)
{
    if (ss->known == m->chans.n + 1)
        return 0;
    gl_ids_clean_up(&ss->slot_of);
    ss->slot_count = 0;
    gl_step *sorted = malloc((ss->n ? ss->n : 1) * sizeof *sorted);
    int status = sorted ? 0 : GL_E_NOMEM;
    for (size_t i = 0; i < ss->n && status == 0; i++) {
        ss->list[i].chan = gl_chans_at(&m->chans, ss->list[i].id, ss->list[i].time);
        uint32_t slot = gl_ids_get(&ss->slot_of, ss->list[i].chan);
        if (slot == GL_NONE) {
            slot = (uint32_t)ss->slot_count;
            status = GL_ROOM(ss->slots, ss->slot_capacity, ss->slot_count);
            if (status == 0)
                status = gl_ids_put(&ss->slot_of, ss->list[i].chan, slot);
            if (status == 0)
                ss->slots[ss->slot_count++] = (gl_slot){0};
        }
        if (status == 0)
            ss->slots[slot].n++;
    }
    uint32_t at = 0;
    for (size_t i = 0; i < ss->slot_count && status == 0; i++) {
        ss->slots[i].first = at;
        at += ss->slots[i].n;
        ss->slots[i].n = 0;
    }
    for (size_t i = 0; i < ss->n && status == 0; i++) {
        gl_slot *slot = &ss->slots[gl_ids_get(&ss->slot_of, ss->list[i].chan)];
        sorted[slot->first + slot->n++] = ss->list[i];
    }
    if (status < 0) {
        free(sorted);
        return status;
    }
    free(ss->list);
    ss->list = sorted;
    ss->capacity = ss->n ? ss->n : 1;
    ss->known = m->chans.n + 1;
    return 0;
}

const gl_step *gl_steps_of(const gl_steps *ss, uint32_t chan, size_t *n)
{
    uint32_t slot = gl_ids_get(&ss->slot_of, chan);
    *n = slot == GL_NONE ? 0 : ss->slots[slot].n;
    return *n ? &ss->list[ss->slots[slot].first] : NULL;
}
