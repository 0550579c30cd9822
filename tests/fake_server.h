/*
 * fake_server: a server of language models inside a test, which answers as badly as the test wants.
 * A thread accepts, a thread each connection reads one request and calls `serve`.
 */
#ifndef ELM_TESTS_FAKE_SERVER_H
#define ELM_TESTS_FAKE_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "elm/base.h"

#define FAKE_CONNECTIONS_MAX 1024

struct fake {
    /* The request is whole, head and body. number: of the connection, from 0. */
    void (*serve)(struct fake *f, int fd, uint32_t number, const char *request);
    void *ctx;
    int listener;
    uint16_t port;
    bool stopped;                      /* under the lock, as all below */
    pthread_mutex_t lock;
    uint32_t connections;              /* that brought a request */
    char *requests[FAKE_CONNECTIONS_MAX];
    pthread_t acceptor, threads[FAKE_CONNECTIONS_MAX];
    int fds[FAKE_CONNECTIONS_MAX];
    uint32_t thread_count;
};

struct fake_connection {
    struct fake *fake;
    int fd;
};

static inline void fake_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        at += n;
        len -= (size_t)n;
    }
}

static inline void fake_say(int fd, const char *text)
{
    fake_send(fd, text, strlen(text));
}

/* Waits until the client has gone or the server stops. */
static inline void fake_hold(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) > 0)
        ;
}

/* Ends the connection with a reset. */
static inline void fake_reset(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
}

#define FAKE_STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

/* A whole answer as chat events; counts as the server says. */
static inline void fake_answer(int fd, const char *text, int prompt_tokens, int tokens)
{
    char bytes[1024];
    snprintf(bytes, sizeof(bytes),
             FAKE_STREAM
             "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n"
             "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\n\n"
             "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
             "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\n"
             "data: [DONE]\n\n",
             text, prompt_tokens, tokens);
    fake_say(fd, bytes);
}

static inline void fake_status(int fd, const char *line, const char *headers, const char *body)
{
    char bytes[2048];
    snprintf(bytes, sizeof(bytes), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", line, headers,
             strlen(body), body);
    fake_say(fd, bytes);
}

/* Reads head and body; NULL when the client goes first. */
static inline char *fake_read(int fd)
{
    struct elm_buf b = {0};
    for (;;) {
        const char *end = b.len == 0 ? NULL : strstr(b.ptr, "\r\n\r\n");
        const char *length = end == NULL ? NULL : strcasestr(b.ptr, "content-length:");
        if (end != NULL &&
            b.len >= (size_t)(end + 4 - b.ptr) + (length == NULL ? 0 : strtoul(length + 15, NULL, 10)))
            return b.ptr;
        char bytes[4096];
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        if (n <= 0) {
            elm_buf_release(&b);
            return NULL;
        }
        elm_buf_add(&b, bytes, (size_t)n);
    }
}

static inline void *fake_serve(void *ctx)
{
    struct fake_connection c = *(struct fake_connection *)ctx;
    struct fake *f = c.fake;
    free(ctx);
    char *request = fake_read(c.fd);
    if (request != NULL) {
        pthread_mutex_lock(&f->lock);
        uint32_t number = f->connections++;
        f->requests[number] = request;
        pthread_mutex_unlock(&f->lock);
        f->serve(f, c.fd, number, request);
    }
    pthread_mutex_lock(&f->lock);
    for (uint32_t i = 0; i < f->thread_count; i++)
        f->fds[i] = f->fds[i] == c.fd ? -1 : f->fds[i];
    close(c.fd);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static inline void *fake_accept(void *ctx)
{
    struct fake *f = ctx;
    for (;;) {
        int fd = accept(f->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct fake_connection *c = elm_malloc(sizeof(*c));
        *c = (struct fake_connection){f, fd};
        pthread_mutex_lock(&f->lock);
        if (f->stopped || f->thread_count == FAKE_CONNECTIONS_MAX) {
            close(fd);
            free(c);
        } else {
            f->fds[f->thread_count] = fd;
            pthread_create(&f->threads[f->thread_count++], NULL, fake_serve, c);
        }
        pthread_mutex_unlock(&f->lock);
    }
}

/* A listening socket on a free port of 127.0.0.1. */
static inline int fake_listen(int backlog, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static inline void fake_start(struct fake *f, void (*serve)(struct fake *f, int fd, uint32_t number,
                                                            const char *request), void *ctx)
{
    *f = (struct fake){.serve = serve, .ctx = ctx};
    pthread_mutex_init(&f->lock, NULL);
    f->listener = fake_listen(128, &f->port);
    assert_int_equal(pthread_create(&f->acceptor, NULL, fake_accept, f), 0);
}

static inline uint32_t fake_connections(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    uint32_t n = f->connections;
    pthread_mutex_unlock(&f->lock);
    return n;
}

static inline void fake_stop(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    f->stopped = true;
    for (uint32_t i = 0; i < f->thread_count; i++) {
        if (f->fds[i] >= 0)
            shutdown(f->fds[i], SHUT_RDWR);
    }
    pthread_mutex_unlock(&f->lock);
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->acceptor, NULL);
    for (uint32_t i = 0; i < f->thread_count; i++)
        pthread_join(f->threads[i], NULL);
    for (uint32_t i = 0; i < f->connections; i++)
        free(f->requests[i]);
    close(f->listener);
    pthread_mutex_destroy(&f->lock);
}

#endif
