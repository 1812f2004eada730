# SPDX-License-Identifier: GPL-2.0
#
# Turns a list of an interface (TSV) into one macro call per line. What a
# check does with it is up to whoever includes the result and defines the
# macros: tap.c prints results, static.h lets the compiler decide.
#
#   ABI_VALUE(line, name, value)                a #define or an ioctl number
#   ABI_ENUM(line, tag, name, value)            a name inside enum tag
#   ABI_ANON(line, name, value)                 a name inside an enum without tag
#   ABI_STRUCT(line, tag, size)
#   ABI_MEMBER(line, tag, member, type, offset, size)
#   ABI_FLEX(line, tag, member, type, offset)   array without length at the end
#   ABI_UNION(line, tag, text, condition)       an anonymous union as a whole, or a
#                                               struct that is a member of one
#
# -v file=NAME is what compiler messages call the list. -v rename="A=B C=D"
# looks for struct B where the list says A: a struct that grew cannot have its
# name beside a kernel's header that has the short one. Ends with status 1 when a
# line could not be turned into a check.

BEGIN {
	FS = "\t"
	n = split(rename, pairs, " ")
	for (i = 1; i <= n; i++)
		if (split(pairs[i], pair, "=") == 2)
			called[pair[1]] = pair[2]
}

function die(why)
{
	printf "%s:%d: %s: %s\n", file, FNR, why, $0 > "/dev/stderr"
	bad = 1
}

function emit_at(line, call)
{
	printf "#line %d \"%s\"\n%s\n", line, file, call
	made++
}

function emit(call)
{
	emit_at(FNR, call)
}

function after(word, text)
{
	if (index(text, word " ") != 1)
		return ""
	text = substr(text, length(word) + 2)
	return text ~ /^[0-9]+$/ ? text : ""
}

function name_ok(s)	{ return s ~ /^[A-Za-z_][A-Za-z0-9_]*$/ }
function value_ok(s)	{ return s ~ /^(0x[0-9a-f]+|-?[0-9]+)$/ }

/^#/ || /^[ \t]*$/ { next }

{ lines++ }

$1 == "const" || $1 == "ioctl" {
	if (NF == 3 && name_ok($2) && value_ok($3))
		emit("ABI_VALUE(" FNR ", " $2 ", " $3 ")")
	else
		die("not a name and a value")
	next
}

$1 ~ /^enum / {
	tag = substr($1, 6)
	if (NF != 3 || !name_ok($2) || !value_ok($3))
		die("not a name and a value")
	else if (tag == "(anonymous)")
		emit("ABI_ANON(" FNR ", " $2 ", " $3 ")")
	else if (name_ok(tag))
		emit("ABI_ENUM(" FNR ", " tag ", " $2 ", " $3 ")")
	else
		die("not the tag of an enum")
	next
}

$1 == "struct" {
	size = after("size", $3)
	inner = 0
	if (NF == 3 && name_ok($2) && size != "") {
		owner = $2 in called ? called[$2] : $2
		emit("ABI_STRUCT(" FNR ", " owner ", " size ")")
	} else {
		owner = ""
		die("not a tag and a size")
	}
	next
}

/^  / {
	offset = after("offset", $2)
	size = after("size", $3)
	if (NF != 3 || offset == "" || size == "" || owner == "") {
		die("not a member with offset and size")
		next
	}
	deep = $1 ~ /^    /
	deepest = $1 ~ /^      /
	sub(/^ +/, "", $1)

	# the members of a struct within the union come before its name
	if ($1 ~ /^struct end /) {
		what = substr($1, 12)
		if (!nested || !name_ok(what)) {
			die("not the end of a struct")
			next
		}
		for (i = 1; i <= nested; i++)
			emit_at(nested_line[i], "ABI_MEMBER(" nested_line[i] ", " owner ", " \
				what "." nested_what[i] ", " nested_rest[i] ")")
		member[++inner] = what
		emit("ABI_UNION(" FNR ", " owner ", \"" what " at " offset ", size " size \
		     " bytes\", offsetof(struct " owner ", " what ") == " offset \
		     " && sizeof(((struct " owner " *)0)->" what ") == " size ")")
		nested = 0
		next
	}

	if ($1 == "union end (anonymous)") {
		if (!inner) {
			die("a union without members")
			next
		}
		same = largest = ""
		for (i = 1; i <= inner; i++) {
			same = same (i > 1 ? " && " : "") \
				"offsetof(struct " owner ", " member[i] ") == " offset
			largest = largest (i > 1 ? " || " : "") \
				"sizeof(((struct " owner " *)0)->" member[i] ") == " size
		}
		emit("ABI_UNION(" FNR ", " owner ", \"union of " inner \
		     " members at " offset ", " size " bytes\", (" same ") && (" largest "))")
		inner = 0
		next
	}

	n = split($1, part, " ")
	what = part[n]
	type = part[1]
	for (i = 2; i < n; i++)
		type = type " " part[i]
	dim = ""
	if (match(what, /\[[0-9]*\]$/)) {
		dim = substr(what, RSTART)
		what = substr(what, 1, RSTART - 1)
	}
	if (n < 2 || !name_ok(what)) {
		die("not a type and a member")
		next
	}
	if (deepest) {
		nested_line[++nested] = FNR
		nested_what[nested] = what
		nested_rest[nested] = type dim ", " offset ", " size
		next
	}
	if (deep)
		member[++inner] = what
	if (dim == "[]")
		emit("ABI_FLEX(" FNR ", " owner ", " what ", " type dim ", " offset ")")
	else
		emit("ABI_MEMBER(" FNR ", " owner ", " what ", " type dim ", " offset ", " size ")")
	next
}

{ die("not understood") }

END {
	if (made != lines) {
		printf "%s: %d lines, %d checks\n", file, lines, made > "/dev/stderr"
		bad = 1
	}
	if (!lines) {
		printf "%s: empty\n", file > "/dev/stderr"
		bad = 1
	}
	exit bad
}
