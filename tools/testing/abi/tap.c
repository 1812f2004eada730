// SPDX-License-Identifier: GPL-2.0
/*
 * Prints one TAP line for each line of an interface list, without numbers: run
 * counts. Compiled once per list with
 *   -DABI_HEADER='"..."'	the header under test
 *   -DABI_CHECKS='"..."'	what tsv2checks.awk made of the list
 *   -DABI_LIST='"..."'		what the list is called
 */
#include <stddef.h>
#include <stdio.h>
#include ABI_HEADER

struct check {
	int line;
	const char *what;
	long long want;
	long long got;
	int same_type;
	const char *type;
};

#define SIZED(_line, _text, _want, _got, _same, _type) \
	{ _line, _text, _want, (long long)(_got), _same, _type },

#define ABI_VALUE(_line, _name, _want) \
	SIZED(_line, #_name, _want, _name, 1, "")
#define ABI_ANON(_line, _name, _want) \
	SIZED(_line, #_name, _want, _name, 1, "")
/* sizeof makes the compiler insist that the tag exists */
#define ABI_ENUM(_line, _tag, _name, _want) \
	SIZED(_line, #_name " of enum " #_tag, _want, _name, \
	      sizeof(enum _tag) == sizeof(int), "the size of int")
#define ABI_STRUCT(_line, _tag, _want) \
	SIZED(_line, "sizeof(struct " #_tag ")", _want, sizeof(struct _tag), 1, "")
#define ABI_MEMBER(_line, _tag, _member, _ctype, _offset, _size) \
	SIZED(_line, "offset of " #_member " in struct " #_tag, _offset, \
	      offsetof(struct _tag, _member), \
	      sizeof(((struct _tag *)0)->_member) == (_size) && \
	      __builtin_types_compatible_p(__typeof__(((struct _tag *)0)->_member), _ctype), \
	      #_ctype " of " #_size " bytes")
#define ABI_FLEX(_line, _tag, _member, _ctype, _offset) \
	SIZED(_line, "offset of " #_member " in struct " #_tag, _offset, \
	      offsetof(struct _tag, _member), \
	      __builtin_types_compatible_p(__typeof__(((struct _tag *)0)->_member), _ctype), \
	      #_ctype)
#define ABI_UNION(_line, _tag, _text, _condition) \
	SIZED(_line, _text " in struct " #_tag, 1, _condition, 1, "")

static const struct check checks[] = {
#include ABI_CHECKS
};

int main(void)
{
	size_t i;
	int failed = 0;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const struct check *c = &checks[i];
		int good = c->want == c->got && c->same_type;

		printf("%sok - %s:%d: %s is %lld\n", good ? "" : "not ",
		       ABI_LIST, c->line, c->what, c->want);
		if (c->want != c->got)
			printf("# it is %lld (0x%llx) here\n", c->got,
			       (unsigned long long)c->got);
		if (!c->same_type)
			printf("# it is not %s here\n", c->type);
		failed |= !good;
	}
	return failed;
}
