/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test program is a table of functions and one call:
 *
 *	static const struct tap_test tests[] = {
 *		{ "an IOAS can be made and destroyed", ioas_alloc },
 *		{ "1 GiB of mappings goes with the process", kill_map, 60 },
 *	};
 *
 *	int main(int argc, char **argv)
 *	{
 *		return TAP_RUN(argc, argv, tests);
 *	}
 *
 * Each function runs in a process of its own, which leads a process group, with
 * a limit on its time; what it forks dies with it. So a crash, a hang or a
 * leaked descriptor is the failure of one test. A function passes by returning.
 *
 * Prints TAP 13. Exit status: 0 passed, 1 something failed, 4 all skipped.
 * Arguments: -l lists the tests, others pick those whose title holds the text.
 * TAP_SLOW=N in the environment makes every limit N times longer.
 */
#ifndef LIB_TAP_H
#define LIB_TAP_H

#include <errno.h>
#include <stddef.h>

/* a row of the table says only what it has to say */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* seconds for a test that does not say; QEMU without KVM is slow */
#define TAP_SECONDS 30

struct tap_test {
	const char *title;
	void (*run)(void);
	unsigned int seconds;
	const void *arg;	/* for a function of many rows: tap_current->arg */
};

/* The row that runs. */
extern const struct tap_test *tap_current;

#define TAP_RUN(argc, argv, tests) \
	tap_run(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))

int tap_run(int argc, char **argv, const struct tap_test *tests, size_t count);

/* A line of explanation under the result. */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* End the test: not possible here. Never for something that ought to work. */
void tap_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* End the test as failed. */
void tap_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

/* "EINVAL (22)" of -EINVAL or EINVAL, "0" of 0, other numbers as they are. */
const char *tap_errno(long long value);

/* Is true, or the test ends here. */
#define CHECK(expr)							\
	do {								\
		if (!(expr))						\
			tap_fail(__FILE__, __LINE__, "not so: %s; errno %s", \
				 #expr, tap_errno(errno));		\
	} while (0)

/* Both are integers and equal. */
#define CHECK_EQ(got, want)						\
	do {								\
		long long got_ = (long long)(got);			\
		long long want_ = (long long)(want);			\
									\
		if (got_ != want_)					\
			tap_fail(__FILE__, __LINE__,			\
				 "%s is %lld (0x%llx), want %lld (0x%llx)", \
				 #got, got_, got_, want_, want_);	\
	} while (0)

/* A call of this library gave 0 or more; the value of the expression is it. */
#define OK(call)							\
	({								\
		long long rc_ = (long long)(call);			\
									\
		if (rc_ < 0)						\
			tap_fail(__FILE__, __LINE__, "%s gave %s",	\
				 #call, tap_errno(rc_));		\
		(int)rc_;						\
	})

/* A call of this library gave this negative errno. */
#define ERR(call, want)							\
	do {								\
		long long rc_ = (long long)(call);			\
									\
		if (rc_ != (want))					\
			tap_fail(__FILE__, __LINE__, "%s gave %s, want %s", \
				 #call, tap_errno(rc_), tap_errno(want)); \
	} while (0)

#endif
