/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checks of tsv2checks.awk as assertions, for what can be compiled but not
 * run here: 32 bit, C++ and the kernel. ABI_CHECKS names the list.
 */
#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/build_bug.h>
#define ABI_ASSERT(_cond, _text)	static_assert(_cond, _text);
#elif defined(__cplusplus)
#include <cstddef>
#define ABI_ASSERT(_cond, _text)	static_assert(_cond, _text);
#else
#include <stddef.h>
#define ABI_ASSERT(_cond, _text)	_Static_assert(_cond, _text);
#endif

#define ABI_VALUE(_line, _name, _want) \
	ABI_ASSERT((long long)(_name) == (_want), #_name)

#ifdef __cplusplus
/* only C++ knows to which enum a name belongs */
#define ABI_ANON(_line, _name, _want) \
	ABI_ASSERT(__is_enum(decltype(_name)) && (_name) == (_want), #_name)
#define ABI_ENUM(_line, _tag, _name, _want) \
	ABI_ASSERT((abi_same<decltype(_name), enum _tag>::yes) && (_name) == (_want), \
		   #_name " of enum " #_tag)
template<typename A, typename B> struct abi_same { enum { yes = 0 }; };
template<typename A> struct abi_same<A, A> { enum { yes = 1 }; };
#else
#define ABI_ANON(_line, _name, _want) ABI_VALUE(_line, _name, _want)
#define ABI_ENUM(_line, _tag, _name, _want) ABI_VALUE(_line, _name, _want)
#endif

#define ABI_STRUCT(_line, _tag, _want) \
	ABI_ASSERT(sizeof(struct _tag) == (_want), "sizeof(struct " #_tag ")")
#define ABI_MEMBER(_line, _tag, _member, _ctype, _offset, _size) \
	ABI_ASSERT(offsetof(struct _tag, _member) == (_offset) && \
		   sizeof(((struct _tag *)0)->_member) == (_size), \
		   #_member " in struct " #_tag)
#define ABI_FLEX(_line, _tag, _member, _ctype, _offset) \
	ABI_ASSERT(offsetof(struct _tag, _member) == (_offset), \
		   #_member " in struct " #_tag)
#define ABI_UNION(_line, _tag, _text, _condition) \
	ABI_ASSERT(_condition, _text " in struct " #_tag)

#include ABI_CHECKS
