#include "control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST "snap"
#define ANSWER_MAX 4700
#define REQUEST_WAIT_MS 2000

struct gl_control {
    int listening[2]; /* ours, the program's; -1 not to be had */
    int stop;
    gl_control_fn answer;
    void *user;
    pthread_t thread;
};

static socklen_t name_of(pid_t pid, struct sockaddr_un *a)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(a->sun_path + 1, sizeof a->sun_path - 1, "golanes-record-%ld", (long)pid);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int listen_as(pid_t pid)
{
    struct sockaddr_un a;
    socklen_t n = name_of(pid, &a);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 4) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool is_ours(int fd)
{
    struct ucred who;
    socklen_t n = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && (who.uid == geteuid() || who.uid == 0);
}

/** The answer's first byte is its status, negated. */
static void serve(gl_control *c, int fd)
{
    char request[32], answer[ANSWER_MAX] = "";
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, REQUEST_WAIT_MS) <= 0)
        return;
    ssize_t n = recv(fd, request, sizeof request, 0);
    int status = GL_E_USAGE;
    if (!is_ours(fd))
        snprintf(answer + 1, sizeof answer - 1, "only the recorder's own user may ask it");
    else if (n != (ssize_t)strlen(REQUEST) || memcmp(request, REQUEST, (size_t)n) != 0)
        snprintf(answer + 1, sizeof answer - 1, "the recorder knows no such request");
    else
        status = c->answer(c->user, answer + 1, sizeof answer - 1);
    answer[0] = (char)-status;
    (void)!send(fd, answer, 1 + strlen(answer + 1), MSG_NOSIGNAL);
}

static void *run(void *user)
{
    gl_control *c = user;
    struct pollfd p[3] = {{c->stop, POLLIN, 0}, {c->listening[0], POLLIN, 0}, {c->listening[1], POLLIN, 0}};
    for (;;) {
        if (poll(p, 3, -1) < 0 && errno != EINTR)
            return NULL;
        if (p[0].revents)
            return NULL;
        for (int i = 1; i < 3; i++) {
            int fd = p[i].revents ? accept4(p[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;
            if (fd < 0)
                continue;
            serve(c, fd);
            close(fd);
        }
    }
}

gl_control *gl_control_open(pid_t program, gl_control_fn answer, void *user)
{
    gl_control *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (gl_control){.answer = answer, .user = user};
    c->listening[0] = listen_as(getpid());
    c->listening[1] = listen_as(program);
    c->stop = eventfd(0, EFD_CLOEXEC);
    if (c->stop >= 0 && (c->listening[0] >= 0 || c->listening[1] >= 0) && pthread_create(&c->thread, NULL, run, c) == 0)
        return c;
    for (int i = 0; i < 2; i++)
        if (c->listening[i] >= 0)
            close(c->listening[i]);
    if (c->stop >= 0)
        close(c->stop);
    free(c);
    return NULL;
}

void gl_control_close(gl_control *c)
{
    if (!c)
        return;
    (void)!eventfd_write(c->stop, 1);
    pthread_join(c->thread, NULL);
    for (int i = 0; i < 2; i++)
        if (c->listening[i] >= 0)
            close(c->listening[i]);
    close(c->stop);
    free(c);
}

int gl_control_ask(pid_t pid, char *text, size_t size)
{
    struct sockaddr_un a;
    socklen_t n = name_of(pid, &a);
    char answer[ANSWER_MAX];
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, n) < 0) {
        snprintf(text, size, "process %ld neither is a golanes record nor is recorded by one", (long)pid);
        if (fd >= 0)
            close(fd);
        return GL_E_NOT_FOUND;
    }
    (void)!send(fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL);
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
    close(fd);
    if (got < 1) {
        snprintf(text, size, "the recorder of process %ld ended before it answered", (long)pid);
        return GL_E_CANCELLED;
    }
    answer[got] = '\0';
    snprintf(text, size, "%s", answer + 1);
    return -(int)(unsigned char)answer[0];
}
