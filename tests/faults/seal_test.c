/* seal: memory that the kernel is busy with when it is to be sealed is sealed a little later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int busy, asked, wrong = EBUSY;

/* In the place of the C library's: as many seals fail as `busy` says. */
int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    long argument = va_arg(list, long);
    va_end(list);
    if (command == F_ADD_SEALS && (argument & F_SEAL_WRITE) != 0 && asked++ < busy) {
        errno = wrong;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

static enum elm_status make(struct elm_error *err)
{
    int fd;
    asked = 0;
    enum elm_status status = sealed_make("seal-test", ELM_STR("bytes"), false, &fd, err);
    if (status == ELM_OK) {
        assert_int_equal(write(fd, "x", 1), -1);
        close(fd);
    }
    return status;
}

static void test_busy(void **state)
{
    struct elm_error err = {0};
    (void)state;
    busy = 3;
    assert_int_equal(make(&err), ELM_OK);
    assert_int_equal(asked, 4);
}

static void test_busy_for_ever(void **state)
{
    struct elm_error err = {0};
    (void)state;
    busy = 1 << 30;
    assert_int_equal(make(&err), ELM_SANDBOX);
    assert_non_null(strstr(err.message, "cannot put 5 bytes into memory for 'seal-test': Device or"));
    wrong = EPERM;
    assert_int_equal(make(&err), ELM_SANDBOX);
    assert_int_equal(asked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_busy_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
