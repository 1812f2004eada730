# SPDX-License-Identifier: GPL-2.0-only
#
# Judges one run of a machine. Reads the console, then the results:
#   awk -f report.awk -v totals=FILE -v how=tests|command console.log results.log
# Prints a line per program and what failed in it, writes "passed failed
# skipped status" to the totals file.
#
# What a program printed is believed only as a whole: its plan must be there,
# the number of its lines must be that of its plan, its exit status must fit,
# and the kernel must have kept quiet.

# A complaint that no test may cause. Faults that an IOMMU reports about a
# device are no complaint, they are what refusal looks like; except those that
# speak of broken tables or queues. A test that provokes one writes
# "lab: expect SOME WORDS" to /dev/kmsg first.
function is_complaint(s)
{
	# the memory of a firmware that nobody ever wrote to
	if (s ~ /nvram corruption detected: 0-length/)
		return 0
	return s ~ /WARNING: |\] BUG[: ]|BUG: |Oops|Kernel panic|general protection fault|[Uu]nable to handle/ ||
	       s ~ /KASAN|KFENCE:? |UBSAN|KCSAN: |kmemleak: [1-9]|ODEBUG|refcount_t: |(list_add|list_del) corruption/ ||
	       s ~ /possible (circular|recursive|irq lock)|INFO: possible|bad unlock|held lock|inconsistent lock state/ ||
	       s ~ /INFO: task .* blocked|soft lockup|hard LOCKUP|rcu: INFO|sleeping function|scheduling while atomic/ ||
	       s ~ /Bad page|bad page|page dumped|Trying to v?free|[Uu]nbalanced|cannot create duplicate/ ||
	       s ~ /DMAR: .*(VT-d detected|QI |[Tt]ime-?out|reserved field|[Ii]nvalid (context|root|entry|translation|interrupt))/ ||
	       s ~ /disagrees about version|Unknown symbol|lab: complaint/
}

function note(name, what)
{
	notes[name] = notes[name] "    " what "\n"
}

function fail(name, what)
{
	failed[name]++
	note(name, what)
}

function stamp(s)
{
	sub(/^[^[]*\[ */, "", s)
	sub(/\].*/, "", s)
	return s + 0
}

function remember(name)
{
	if (!(name in known)) {
		known[name] = 1
		order[++count] = name
	}
}

{ sub(/\r$/, "") }

# console

FILENAME == ARGV[1] {
	if ((i = index($0, "lab: begin ")) && /\] lab: begin /) {
		current = substr($0, i + 11)
		began[current] = stamp($0)
	} else if (/\] lab: end /) {
		took[current] = stamp($0) - began[current]
		current = ""
		nexpected = 0
	} else if ((i = index($0, "lab: expect ")) && /\] lab: expect /) {
		expected[++nexpected] = substr($0, i + 12)
	} else if (is_complaint($0)) {
		for (i = 1; i <= nexpected; i++)
			if (index($0, expected[i]))
				next
		who = current == "" ? "(kernel)" : current
		# the first says it, the others are in the log
		if (ncomplaints[who]++ == 0)
			complaint[who] = $0
	}
	next
}

# results

/^#lab: ready/	{ ready = 1; next }
/^#lab: done/	{ done = 1; next }
/^#lab: (failed to load|no module)/ {
	remember("(machine)"); fail("(machine)", substr($0, 7)); next
}
/^#lab: begin / {
	test = $3
	remember(test)
	plan = -1; lines = 0; bad = 0; skipall = 0; said = 0; detail = 0
	open = 1
	next
}
/^#lab: timeout / { note(test, "ran longer than allowed, see the console"); next }
/^#lab: stuck /	{ note(test, "did not die when killed"); next }
/^#lab: left / { fail($3, "left a process behind that hangs in the kernel"); next }
/^#lab: end / {
	status = $NF
	open = 0
	if (how == "command") {
		command_status = status
		if (status != 0)
			fail(test, "exit status " status)
		else
			passed[test]++
		next
	}
	if (plan < 0)
		fail(test, "printed no plan")
	else if (lines != plan)
		fail(test, "planned " plan " lines, printed " lines)
	if (skipall) {
		skipped[test]++
		skips[skipreason]++
	}
	if (status > 128)
		fail(test, "died of signal " status - 128)
	else if (status == 127 || status == 126)
		fail(test, "cannot be executed")
	else if (status != 0 && !(status == 1 && bad) && !(status == 4 && !bad))
		fail(test, "exit status " status " does not fit its lines")
	else if (status == 0 && bad)
		fail(test, "exit status 0 in spite of failures")
	next
}
!open || how == "command" { next }
/^1\.\.[0-9]+/ {
	if (plan >= 0)
		fail(test, "printed a second plan")
	plan = substr($1, 4) + 0
	if (plan == 0 && /# *[Ss][Kk][Ii][Pp]/) {
		skipall = 1
		skipreason = $0
		sub(/.*# *[Ss][Kk][Ii][Pp] */, "", skipreason)
	}
	next
}
/^ok( |$)/ {
	lines++
	said = detail = 0
	if (/# *[Ss][Kk][Ii][Pp]/) {
		skipped[test]++
		sub(/.*# *[Ss][Kk][Ii][Pp] */, "")
		skips[$0]++
	} else {
		passed[test]++
	}
	next
}
/^not ok( |$)/ {
	lines++
	bad++
	fail(test, $0)
	for (i = 1; i <= said; i++)
		note(test, "  " saying[i])
	said = 0
	detail = 6
	next
}
/^Bail out!/ { bad++; fail(test, $0); next }
# What a test has to say may stand before its result or after it.
/^#/ && detail > 0 { detail--; note(test, "  " $0); next }
/^#/ {
	if (said == 6) {
		for (i = 1; i < 6; i++)
			saying[i] = saying[i + 1]
		said--
	}
	saying[++said] = $0
}
!/^#/ { detail = 0 }

END {
	if (ended != "") {
		remember("(machine)")
		fail("(machine)", "was ended by the lab: " ended)
	}
	if (!ready) {
		remember("(machine)")
		fail("(machine)", "did not come up")
	} else if (!done) {
		remember("(machine)")
		fail("(machine)", "did not come to its end" (open ? ", last in " test : ""))
	} else if (count == 0) {
		remember("(machine)")
		fail("(machine)", "ran no test")
	}
	for (who in complaint) {
		remember(who)
		fail(who, "kernel: " complaint[who] \
		     (ncomplaints[who] > 1 ? " (and " ncomplaints[who] - 1 " more)" : ""))
	}
	for (i = 1; i <= count; i++) {
		name = order[i]
		printf "  %-28s %4d passed %3d failed %3d skipped", name, passed[name], failed[name], skipped[name]
		if (name in took)
			printf "  %5.1f s", took[name]
		printf "\n%s", notes[name]
		p += passed[name]; f += failed[name]; s += skipped[name]
	}
	for (reason in skips)
		printf "    skipped %d: %s\n", skips[reason], reason
	print p + 0, f + 0, s + 0, command_status + 0 >totals
}
